import { describe, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { Failure } from '../src/lib/types/failure';
import { aChat } from './builders';
import { FakeBackend } from './fake_backend';
import { openPage } from './page';

/** Three chats are listed; the older ones, which are not, are filed. */
function withOlderChats() {
	const backend = new FakeBackend();
	backend.put(aChat({ id: 'oldest', title: 'oldest', folder: 'Attic', tags: ['dust'] }));
	backend.put(aChat({ id: 'old', title: 'old', folder: '工作', tags: ['dust', 'red'] }));
	for (let at = 0; at < 40; at++) backend.put(aChat({ id: `chat ${at}`, title: `chat ${at}` }));
	backend.pageSize = 3;
	return backend;
}
const items = () =>
	[...document.querySelectorAll('[role=menuitem]')].map((item) => item.textContent?.trim());
const openMenu = (title: string) =>
	page.getByRole('button', { name: `Actions for “${title}”` }).click();

describe('folders and tags', () => {
	test('of chats that are not listed can be chosen too', async () => {
		const backend = withOlderChats();
		const { app, byId } = await openPage({ backend });
		await vi.waitUntil(() => app.chats.phase === 'ready');
		expect(app.chats.items.map(({ id }) => id)).not.toContain('old');
		await byId('chat-views').click();
		await expect.element(page.getByRole('menuitem', { name: 'All chats' })).toBeVisible();
		expect(items()).toEqual([
			'All chats',
			'Archived',
			'Attic',
			'工作',
			'dust',
			'red',
			'Select chats'
		]);

		await page.getByRole('menuitem', { name: 'dust' }).click();

		await vi.waitUntil(() => app.chats.items.length === 2);
		expect(app.chats.items.map(({ id }) => id)).toEqual(['old', 'oldest']);
	});

	test('cost the first load no request, and one each time something shows them', async () => {
		const { app, backend, byId } = await openPage({ backend: withOlderChats() });
		await vi.waitUntil(() => app.chats.phase === 'ready');
		await expect.element(byId('chat-item').first()).toBeVisible();
		backend.goOffline();
		backend.goOnline();
		await vi.waitUntil(() => backend.callsOf('listChats').length > 1);
		expect(backend.callsOf('labels')).toHaveLength(0);

		await byId('chat-views').click();
		await expect.element(page.getByRole('menuitem', { name: 'Attic' })).toBeVisible();

		expect(backend.callsOf('labels')).toHaveLength(1);
	});

	test('that were emptied elsewhere are not offered any more', async () => {
		const backend = withOlderChats();
		const { byId } = await openPage({ backend });
		await byId('chat-views').click();
		await page.getByRole('menuitem', { name: 'Attic' }).click();
		backend.put({ ...backend.chat('oldest'), folder: null, tags: [] });

		await byId('chat-views').click();

		await expect.element(page.getByRole('menuitem', { name: '工作' })).toBeVisible();
		await expect.element(page.getByRole('menuitem', { name: 'Attic' })).not.toBeInTheDocument();
	});

	test('are all offered where a chat is filed', async () => {
		const { byId } = await openPage({ backend: withOlderChats() });
		await openMenu('chat 39');
		await byId('chat-file').click();
		await expect.element(byId('filing-dialog')).toBeVisible();

		const offered = () =>
			[...document.querySelectorAll('datalist option')].map((one) => one.getAttribute('value'));
		await vi.waitUntil(() => offered().length === 2);
		expect(offered()).toEqual(['Attic', '工作']);
	});

	test('can be given to a chat by a press, and can be written on after it', async () => {
		const { backend, byId } = await openPage({ backend: withOlderChats() });
		await openMenu('chat 39');
		await byId('chat-file').click();
		const box = byId('chat-tags');
		const known = () =>
			byId('known-tag')
				.elements()
				.map((one) => one.textContent?.trim());
		await vi.waitUntil(() => known().length === 2);
		expect(known()).toEqual(['dust', 'red']);

		await byId('known-tag').first().click();

		expect(known()).toEqual(['red']);
		await expect.element(box).toHaveFocus();
		await box.fill('dust, red，new');
		expect(known()).toEqual([]);
		await page.getByRole('button', { name: 'Save' }).click();
		await vi.waitUntil(() => backend.chat('chat 39').tags.length > 0);
		expect(backend.chat('chat 39').tags).toEqual(['dust', 'red', 'new']);
	});

	test('with nothing to list are not offered as a view, and can be filed under', async () => {
		const backend = withOlderChats();
		backend.put({ ...backend.chat('oldest'), archived: true });
		backend.put({ ...backend.chat('old'), tags: ['red'] });
		const { byId } = await openPage({ backend });
		await byId('chat-views').click();
		await expect.element(page.getByRole('menuitem', { name: '工作' })).toBeVisible();
		expect(items()).toEqual(['All chats', 'Archived', '工作', 'red', 'Select chats']);
		await page.getByRole('menuitem', { name: 'All chats' }).click();

		await openMenu('chat 39');
		await byId('chat-file').click();

		await vi.waitUntil(() => byId('known-tag').elements().length === 2);
		expect(document.querySelectorAll('datalist option')).toHaveLength(2);
	});

	test('do not keep the menu closed where the server is slow, and come into it', async () => {
		const backend = withOlderChats();
		const labels = backend.api.labels;
		let answer = () => {};
		backend.api.labels = async () => {
			await new Promise<void>((done) => (answer = done));
			return labels();
		};
		const { byId } = await openPage({ backend });
		await byId('chat-views').click();
		await expect.element(byId('view-archived')).toBeVisible();
		expect(items()).toEqual(['All chats', 'Archived', 'Select chats']);

		answer();

		await expect.element(page.getByRole('menuitem', { name: 'Attic' })).toBeVisible();
	});

	test('do not keep the menu closed where the server refuses', async () => {
		const backend = withOlderChats();
		backend.refusals.set('labels', new Failure('storage_busy', { status: 503 }));
		const { byId } = await openPage({ backend });
		await byId('chat-views').click();

		await expect.element(byId('view-archived')).toBeVisible();
	});

	test('more than there is room for are reached in a low window, with what stands below them', async () => {
		const backend = new FakeBackend();
		const tags = Array.from({ length: 40 }, (_, at) => `tag ${at}`);
		backend.put(aChat({ id: 'chat', title: 'chat', tags }));
		const { byId } = await openPage({ backend, height: 300 });
		await byId('chat-views').click();
		await expect.element(page.getByRole('menuitem', { name: 'tag 39' })).toBeInTheDocument();

		await vi.waitUntil(
			() => document.querySelector('[role=menu]')!.getBoundingClientRect().bottom <= innerHeight
		);
		await byId('select-chats').click();
		await expect.element(page.getByText('0 selected')).toBeVisible();
	});
});
