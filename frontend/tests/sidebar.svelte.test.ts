import { describe, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { Failure } from '../src/lib/types/failure';
import { aChat, aMessage, aSummary } from './builders';
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
		backend.pageSize = 25;
		const { app } = await openPage({ backend, height: 500 });
		await vi.waitUntil(() => titles().length > 5);
		const list = document.querySelector('[data-scrolls]')!;
		expect(backend.callsOf('listChats')).toHaveLength(1);

		await vi.waitUntil(() => {
			list.scrollTop = list.scrollHeight - list.clientHeight - 150;
			return app.chats.items.length === 45;
		});
		expect(new Set(app.chats.items.map(({ id }) => id)).size).toBe(45);
		expect(backend.callsOf('listChats')).toHaveLength(2);
	});

	test('draws only what is in sight of ten thousand chats', async () => {
		const backend = withChats(...Array.from({ length: 10_000 }, (_, index) => `chat ${index}`));
		backend.pageSize = 10_000;
		await openPage({ backend });
		await vi.waitUntil(() => titles().length > 5);
		const list = document.querySelector('[data-scrolls]')!;
		expect(document.querySelectorAll('[data-testid=chat-item]').length).toBeLessThan(60);

		list.scrollTop = list.scrollHeight;

		await vi.waitUntil(() => titles().includes('chat 0'));
		expect(document.querySelectorAll('[data-testid=chat-item]').length).toBeLessThan(60);
	});

	test('stands under the days on which chats were last used', async () => {
		const backend = new FakeBackend();
		const at = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
		for (const [title, days] of [
			['now', 0],
			['before', 1],
			['week', 4],
			['old', 400]
		] as const)
			backend.chats.set(title, aChat({ id: title, title, updated_at: at(days) }));
		const { app } = await openPage({ backend });
		const headings = () =>
			[...document.querySelectorAll('[data-scrolls] h2')].map((heading) => heading.textContent);

		await vi.waitUntil(() => titles().length === 4);
		const month = (locale: string) =>
			new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric' }).format(new Date(at(400)));
		expect(headings()).toEqual(['Today', 'Yesterday', 'Last 7 days', month('en')]);
		app.settings.set({ language: 'zh' });
		await vi.waitUntil(() => headings()[0] === '今天');
		expect(headings()).toEqual(['今天', '昨天', '最近 7 天', month('zh-CN')]);
	});

	test('archived chats leave the list, are found in the archive, and come back', async () => {
		const backend = withChats('kept', 'put away');
		const { app } = await openPage({ backend });
		await openMenu('put away');
		await page.getByTestId('chat-archive').click();
		await vi.waitUntil(() => titles().join() === 'kept');

		await page.getByTestId('chat-views').click();
		await page.getByTestId('view-archived').click();
		await vi.waitUntil(() => backend.callsOf('listChats').length === 2);
		expect(backend.callsOf('listChats').at(-1)?.[0]).toMatchObject({ archived: true });
		await vi.waitUntil(() => titles().join() === 'put away');
		await openMenu('put away');
		await page.getByTestId('chat-archive').click();
		await vi.waitUntil(() => app.chats.items.length === 0);
		expect(backend.chat('put away').archived).toBe(false);
	});

	test('a chat gets a folder and tags, by which the list can be narrowed', async () => {
		const backend = withChats('other', 'mine');
		await openPage({ backend });
		await openMenu('mine');
		await page.getByTestId('chat-file').click();
		await page.getByRole('combobox', { name: 'Folder' }).fill('工作');
		await page.getByRole('textbox', { name: 'Tags' }).fill('a, b，a');
		await page.getByRole('button', { name: 'Save' }).click();
		await vi.waitUntil(() => backend.chat('mine').folder === '工作');
		expect(backend.chat('mine').tags).toEqual(['a', 'b']);

		await page.getByTestId('chat-views').click();
		await page.getByRole('menuitem', { name: '工作' }).click();
		await vi.waitUntil(() => titles().join() === 'mine');
		expect(backend.callsOf('listChats').at(-1)?.[0]).toMatchObject({ folder: '工作' });
	});

	test('several chats are deleted at once, and come back by undo', async () => {
		const backend = withChats('one', 'two', 'three');
		await openPage({ backend });
		await vi.waitUntil(() => titles().length === 3);
		await page.getByTestId('chat-views').click();
		await page.getByTestId('select-chats').click();
		await page.getByRole('checkbox', { name: 'one' }).click();
		await page.getByRole('checkbox', { name: 'three' }).click();
		await expect.element(page.getByText('2 selected')).toBeVisible();
		await page.getByTestId('selection-delete').click();

		await vi.waitUntil(() => titles().join() === 'two');
		expect([...backend.chats.keys()]).toEqual(['two']);
		await page.getByRole('button', { name: 'Undo' }).click();
		await vi.waitUntil(() => titles().length === 3);
	});

	test('all that are listed can be selected, and let go again', async () => {
		const backend = withChats('one', 'two', 'three');
		const { app, byId } = await openPage({ backend });
		await vi.waitUntil(() => titles().length === 3);
		await byId('chat-views').click();
		await byId('select-chats').click();
		await byId('select-all').click();
		await expect.element(page.getByText('3 selected')).toBeVisible();
		await expect.element(byId('select-all')).toBeChecked();

		await byId('select-all').click();
		await expect.element(page.getByText('0 selected')).toBeVisible();
		expect(app.chats.selection?.size).toBe(0);
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

	test('goes to the message that was found, on its branch, and marks the words there', async () => {
		const backend = withChats('other');
		const filler = Array.from({ length: 40 }, (_, at) => `Line ${at}.`).join('\n\n');
		const turn = (id: string, parent_id: string | null, content: string, sibling_ids: string[]) =>
			aMessage({ id, parent_id, content, sibling_ids, chat_id: 'long', role: 'user' });
		const messages = [
			turn('root', null, filler, ['root']),
			turn('old', 'root', `It was 天气 then.\n\n${filler}`, ['old', 'new']),
			turn('new', 'root', 'Another branch.', ['old', 'new']),
			turn('end', 'old', filler, ['end'])
		];
		backend.put(aChat({ id: 'long', title: 'long', messages, active_leaf_id: 'new' }));
		const chat = aSummary({ id: 'long', title: 'long' });
		backend.hits = [{ chat, message_id: 'old', role: 'user', snippet: '<mark>天气</mark>' }];
		const { app, byId } = await openPage({ backend, chatId: 'long' });
		await expect.element(page.getByText('Another branch.')).toBeVisible();

		await byId('chat-search').fill('天气');
		await expect.element(byId('search-hit')).toBeVisible();
		document
			.querySelector('[data-testid=search-hit]')
			?.addEventListener('click', (event) => event.preventDefault());
		await byId('search-hit').click();

		await vi.waitUntil(() => CSS.highlights.get('search-hit')?.size === 1);
		const [range] = [...(CSS.highlights.get('search-hit') ?? [])];
		expect(range?.toString()).toBe('天气');
		const box = (range as Range).getBoundingClientRect();
		expect(box.top).toBeGreaterThan(0);
		expect(box.bottom).toBeLessThan(innerHeight);
		expect(app.open?.store.leafId).toBe('end');
		await userEvent.keyboard('{Escape}');
		await byId('chat-search').fill('');
		await vi.waitUntil(() => !CSS.highlights.has('search-hit'));
	});

	test('gives more hits on request, and can be tried again when it fails', async () => {
		const backend = withChats('first');
		const hit = (at: number) => ({
			chat: aSummary({ id: `c${at}`, title: `Chat ${at}` }),
			message_id: null,
			role: null,
			snippet: `<mark>Chat</mark> ${at}`
		});
		backend.hits = Array.from({ length: 40 }, (_, at) => hit(at));
		backend.refusals.set('searchChats', new Failure('storage_busy', { status: 503 }));
		const { byId } = await openPage({ backend });
		await byId('chat-search').fill('chat');
		await expect.element(page.getByText('The database is busy.')).toBeVisible();
		await page.getByRole('button', { name: 'Retry' }).click();
		await expect.element(page.getByText('The first 30 hits')).toBeVisible();
		expect(byId('search-hit').elements()).toHaveLength(30);

		await byId('more-hits').click();

		await expect.element(page.getByText('40 hits')).toBeVisible();
		expect(byId('search-hit').elements()).toHaveLength(40);
		expect(byId('more-hits').elements()).toHaveLength(0);
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

describe('a temporary chat', () => {
	test('is made as one, says so, and never enters the list', async () => {
		const { app, backend, byId } = await openPage({ backend: withChats('kept') });
		await vi.waitUntil(() => titles().length === 1);
		await byId('temporary-chat').click();
		await expect.element(byId('temporary-chat')).toHaveAttribute('aria-pressed', 'true');
		await expect.element(byId('temporary-bar')).toBeVisible();

		await byId('composer').fill('A secret');
		await byId('send').click();

		await vi.waitUntil(() => backend.runs.size === 1);
		expect(backend.callsOf('createChat')[0]?.[0]).toMatchObject({ temporary: true });
		await expect.element(byId('temporary')).toBeVisible();
		backend.begin(backend.lastRun);
		backend.end(backend.lastRun, 'completed');
		backend.emit({
			type: 'chat.changed',
			chat: aSummary({ id: app.open!.store.id, temporary: true, folder: 'secrets' })
		});
		backend.put(aChat({ id: 'later', title: 'later' }));
		await vi.waitUntil(() => titles().length > 1);
		expect(titles()).toEqual(['later', 'kept']);
		expect(app.labels.folders).toEqual([]);
	});

	test('is turned off again by its button, and by “New chat”', async () => {
		const { app, byId } = await openPage();
		for (const off of ['temporary-chat', 'new-chat']) {
			await byId('temporary-chat').click();
			await vi.waitUntil(() => app.isTemporary);
			await byId(off).click();
			await vi.waitUntil(() => !app.isTemporary);
		}
	});
});

describe('clearing a conversation', () => {
	const withTurns = () => {
		const backend = withChats('Turns');
		const messages = [aMessage({ id: 'question', chat_id: 'Turns', content: 'Why?' })];
		backend.put({ ...backend.chat('Turns'), messages, active_leaf_id: 'question' });
		return backend;
	};

	test('asks first, then takes the messages out of the chat that is open', async () => {
		const { backend, byId } = await openPage({ backend: withTurns(), chatId: 'Turns' });
		await expect.element(page.getByText('Why?')).toBeVisible();
		await openMenu('Turns');
		await byId('chat-clear').click();
		await expect.element(byId('clear-dialog')).toBeVisible();
		expect(backend.callsOf('clearChat')).toEqual([]);

		await byId('clear-confirm').click();

		await expect.element(page.getByText('Why?')).not.toBeInTheDocument();
		expect(backend.callsOf('clearChat')).toEqual([['Turns']]);
		expect(titles()).toEqual(['Turns']);
	});

	test('a refusal is said, and nothing goes', async () => {
		const { backend, byId } = await openPage({ backend: withTurns(), chatId: 'Turns' });
		backend.refusals.set('clearChat', new Failure('run_active', { status: 409 }));
		await openMenu('Turns');
		await byId('chat-clear').click();
		await byId('clear-confirm').click();

		await expect
			.element(page.getByText('An answer is still being written in this chat.'))
			.toBeVisible();
		await expect.element(page.getByText('Why?')).toBeVisible();
	});

	test('is not offered where there is nothing to clear', async () => {
		const { byId } = await openPage({ backend: withChats('Empty') });
		await openMenu('Empty');

		await expect.element(byId('chat-clear')).toHaveAttribute('aria-disabled', 'true');
	});
});
