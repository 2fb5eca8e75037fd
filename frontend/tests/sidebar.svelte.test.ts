import { describe, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { Failure } from '../src/lib/types/failure';
import { aChat, aSummary } from './builders';
import { FakeBackend } from './fake_backend';
import { openPage } from './page';

function withChats(...titles: string[]) {
	const backend = new FakeBackend();
	for (const title of titles) backend.put(aChat({ id: title, title }));
	return backend;
}
const titles = () =>
	[...document.querySelectorAll('[data-testid=chat-item] a')].map((item) =>
		item.textContent?.trim()
	);
const openMenu = (title: string) =>
	page.getByRole('button', { name: `Actions for “${title}”` }).click();

describe('the list', () => {
	test('shows pinned chats first, then the newest activity', async () => {
		const backend = withChats('first', 'second', 'third');
		backend.put({ ...backend.chat('first'), pinned: true });
		await openPage({ backend });

		await vi.waitUntil(() => titles().length === 3);
		expect(titles()).toEqual(['first', 'third', 'second']);
		await expect.element(page.getByText('Pinned')).toBeVisible();
	});

	test('a chat with new activity comes to the top, in each tab', async () => {
		const backend = withChats('first', 'second');
		await openPage({ backend });
		await vi.waitUntil(() => titles().length === 2);
		backend.put({ ...backend.chat('first') });

		await vi.waitUntil(() => titles()[0] === 'first');
	});

	test('comes in pages, the next one before the reader is at the end', async () => {
		const backend = withChats(...Array.from({ length: 45 }, (_, index) => `chat ${index}`));
		backend.pageSize = 20;
		await openPage({ backend });
		await vi.waitUntil(() => titles().length === 20);
		const list = document.querySelector('[data-scrolls]')!;
		expect(backend.callsOf('listChats')).toHaveLength(1);

		await vi.waitUntil(() => {
			list.scrollTop = list.scrollHeight - list.clientHeight - 150;
			return titles().length === 45;
		});
		expect(new Set(titles()).size).toBe(45);
		expect(backend.callsOf('listChats')).toHaveLength(3);
	});

	test('says when there is nothing yet, and when it could not be loaded', async () => {
		const empty = await openPage();
		await expect.element(page.getByText('No chats yet.')).toBeVisible();
		empty.screen.unmount();

		const backend = withChats('first');
		backend.refusals.set('listChats', new Failure('storage_unavailable', { status: 503 }));
		await openPage({ backend });
		await expect.element(page.getByText('The database cannot be used.')).toBeVisible();
		await page.getByRole('button', { name: 'Retry' }).click();
		await vi.waitUntil(() => titles().length === 1);
	});
});

describe('a chat in the list', () => {
	test('is renamed in place', async () => {
		const backend = withChats('old name');
		const { byId } = await openPage({ backend });
		await openMenu('old name');
		await byId('chat-rename').click();
		await expect.element(byId('title-box')).toHaveFocus();
		await byId('title-box').fill('新名字');
		await userEvent.keyboard('{Enter}');

		await vi.waitUntil(() => titles()[0] === '新名字');
		expect(backend.chat('old name').title).toBe('新名字');
	});

	test('keeps its name on Escape', async () => {
		const backend = withChats('old name');
		const { byId } = await openPage({ backend });
		await openMenu('old name');
		await byId('chat-rename').click();
		await byId('title-box').fill('other');
		await userEvent.keyboard('{Escape}');

		await vi.waitUntil(() => titles()[0] === 'old name');
		expect(backend.callsOf('updateChat')).toEqual([]);
	});

	test('gets its old name back when the server refuses, and says why', async () => {
		const backend = withChats('old name');
		const { byId } = await openPage({ backend });
		await openMenu('old name');
		backend.refusals.set('updateChat', new Failure('storage_busy', { status: 503 }));
		await byId('chat-rename').click();
		await byId('title-box').fill('other');
		await userEvent.keyboard('{Enter}');

		await expect.element(page.getByText('The database is busy.')).toBeVisible();
		expect(titles()).toEqual(['old name']);
	});

	test('is deleted at once and can be had back', async () => {
		const backend = withChats('keep', 'remove');
		const { byId } = await openPage({ backend });
		await openMenu('remove');
		await byId('chat-delete').click();
		await vi.waitUntil(() => titles().length === 1);
		expect(backend.chats.has('remove')).toBe(false);

		await page.getByRole('button', { name: 'Undo' }).click();

		await vi.waitUntil(() => titles().length === 2);
		expect(backend.chats.has('remove')).toBe(true);
	});

	test('can be pinned', async () => {
		const backend = withChats('first', 'second');
		const { byId } = await openPage({ backend });
		await openMenu('first');
		await byId('chat-pin').click();

		await vi.waitUntil(() => titles()[0] === 'first');
		expect(backend.chat('first').pinned).toBe(true);
	});
});

describe('search', () => {
	test('marks what was found and never runs what it shows', async () => {
		const backend = withChats('天气');
		backend.hits = [
			{
				chat: aSummary({ id: '天气', title: '天气' }),
				message_id: 'm',
				role: 'user',
				snippet: 'Wie ist das <mark>天气</mark>? &lt;img src=x onerror=alert(1)&gt; &amp;lt;'
			}
		];
		const { byId } = await openPage({ backend });
		await byId('chat-search').fill('天气');

		await expect.element(byId('search-hit')).toBeVisible();
		expect(document.querySelector('[data-testid=search-hit] mark')?.textContent).toBe('天气');
		await expect.element(byId('search-hit')).toHaveTextContent('<img src=x onerror=alert(1)> &lt;');
		expect(document.querySelector('[data-testid=search-hit] img')).toBeNull();
	});

	test('asks once the writer pauses, and goes back to the list with Escape', async () => {
		const backend = withChats('first');
		const { byId } = await openPage({ backend });
		await byId('chat-search').click();
		await userEvent.keyboard('sky');
		await expect.element(page.getByText('Nothing found for “sky”.')).toBeVisible();
		expect(backend.callsOf('searchChats').at(-1)).toMatchObject([{ q: 'sky' }]);

		await userEvent.keyboard('{Escape}');
		await expect.element(byId('chat-item')).toBeVisible();
	});
});

describe('the footer', () => {
	test('the language changes at once, without losing what was written', async () => {
		const { byId } = await openPage();
		await byId('composer').fill('half a thought');
		await byId('language').click();

		await expect.element(page.getByRole('link', { name: '新对话' })).toBeVisible();
		expect(document.documentElement.lang).toBe('zh-CN');
		await expect.element(byId('composer')).toHaveValue('half a thought');
	});

	test('the theme goes from the system’s to light to dark', async () => {
		const { byId } = await openPage();
		const background = () => getComputedStyle(document.documentElement).backgroundColor;
		await byId('theme').click();
		await vi.waitUntil(() => document.documentElement.dataset.theme === 'light');
		const light = background();
		await byId('theme').click();
		await vi.waitUntil(() => document.documentElement.dataset.theme === 'dark');

		expect(background()).not.toBe(light);
	});
});
