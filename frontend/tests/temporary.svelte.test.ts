/** Temporary chats: nothing of them in the browser, ended with a button, and words for who leaves or reloads. */

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { goto } from '$app/navigation';
import { Failure } from '../src/lib/types/failure';
import { aChat } from './builders';
import { ask, openPage } from './page';

beforeEach(() => vi.mocked(goto).mockClear());

const traces = () => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage });

async function openTemporary(settings = {}) {
	const opened = await openPage({ settings });
	opened.app.begin({ isTemporary: true });
	await expect.element(opened.byId('temporary-bar')).toBeVisible();
	return opened;
}

describe('what is written', () => {
	test('never comes to the browser’s storage: not the draft, not what could not be sent', async () => {
		const opened = await openTemporary();
		const write = vi.spyOn(Storage.prototype, 'setItem');
		await opened.byId('composer').fill('A secret draft');
		opened.byId('composer').element().blur();
		expect(opened.app.drafts.read(opened.app.open!.store.id)).toBe('A secret draft');

		opened.backend.goOffline();
		await opened.byId('send').click();
		await expect.element(page.getByText('Not sent.')).toBeVisible();
		await opened.byId('composer').fill('A second secret');
		opened.byId('composer').element().blur();

		expect(traces()).not.toContain('secret');
		expect(JSON.stringify(write.mock.calls)).not.toContain('secret');
		write.mockRestore();
	});

	test('before the chat was made temporary is taken out of it', async () => {
		const opened = await openPage();
		await opened.byId('composer').fill('Half a secret');
		opened.byId('composer').element().blur();
		expect(traces()).toContain('Half a secret');

		opened.app.begin({ isTemporary: true });
		await vi.waitUntil(() => !traces().includes('secret'));
		await expect.element(opened.byId('composer')).toHaveValue('Half a secret');

		opened.app.begin({ isTemporary: false });
		await vi.waitUntil(() => traces().includes('Half a secret'));
	});

	test('after a reload is no more, and the chat is still there', async () => {
		const opened = await openTemporary();
		backendHas(opened, await ask(opened, 'A secret?'));
		const { id } = opened.app.open!.store;
		opened.stop();
		opened.screen.unmount();
		expect(traces()).not.toContain('secret');

		const again = await openPage({ backend: opened.backend, chatId: id, isReload: true });
		await expect.element(again.byId('temporary-bar')).toBeVisible();
		await expect.element(again.byId('message').first()).toHaveTextContent('A secret?');
		await again.byId('composer').fill('More of the secret');
		again.byId('composer').element().blur();
		expect(traces()).not.toContain('secret');
	});

	test('keeps the browser from reloading without a question', async () => {
		const opened = await openTemporary();
		const isAskedFor = () => !dispatchEvent(new Event('beforeunload', { cancelable: true }));
		expect(isAskedFor()).toBe(false);

		await opened.byId('composer').fill('A secret');
		opened.byId('composer').element().blur();
		expect(isAskedFor()).toBe(true);
		opened.app.begin({ isTemporary: false });
		await expect.element(opened.byId('temporary-bar')).not.toBeInTheDocument();
		expect(isAskedFor()).toBe(false);
	});
});

const backendHas = (opened: Awaited<ReturnType<typeof openPage>>, run: string) =>
	opened.backend.end(run, 'completed', { content: 'Said.' });

describe('ending it', () => {
	test('asks, deletes it on the server, and begins a new chat that is kept', async () => {
		const opened = await openTemporary();
		backendHas(opened, await ask(opened, 'A secret?'));
		const { id } = opened.app.open!.store;
		await opened.byId('discard').click();
		await expect.element(opened.byId('discard-dialog')).toBeVisible();
		expect(opened.backend.callsOf('deleteChat')).toEqual([]);
		await opened.byId('discard-confirm').click();

		await vi.waitUntil(() => opened.app.open!.store.id !== id);
		expect(opened.backend.callsOf('deleteChat')).toEqual([[id]]);
		expect(opened.app.isTemporary).toBe(false);
		await expect.element(page.getByText('Nothing of it is left.')).toBeVisible();
		expect(page.getByText('stays in the server’s memory').elements()).toEqual([]);
		expect(goto).toHaveBeenCalledWith('/');
	});

	test('that the server refuses leaves it as it is', async () => {
		const opened = await openTemporary();
		backendHas(opened, await ask(opened, 'A secret?'));
		opened.backend.refusals.set('deleteChat', new Failure('storage_busy', { status: 503 }));
		await opened.byId('discard').click();
		await opened.byId('discard-confirm').click();

		await expect.element(page.getByText('The database is busy')).toBeVisible();
		await expect.element(opened.byId('temporary-bar')).toBeVisible();
		expect(opened.app.isTemporary).toBe(true);
	});

	test('before anything was said needs no question', async () => {
		const opened = await openTemporary();
		await opened.byId('discard').click();

		await vi.waitUntil(() => !opened.app.isTemporary);
		expect(opened.backend.callsOf('deleteChat')).toEqual([]);
	});
});

describe('leaving it', () => {
	test('says where it stays, and leads back', async () => {
		const opened = await openTemporary();
		backendHas(opened, await ask(opened, 'A secret?'));
		const { id } = opened.app.open!.store;
		opened.app.show(null);

		await expect.element(page.getByText('stays in the server’s memory')).toBeVisible();
		await page.getByRole('button', { name: 'Back to it' }).click();
		expect(goto).toHaveBeenCalledWith(`/c/${id}`);
	});

	test('with a text that was not sent says that it is gone, and gives it back', async () => {
		const opened = await openTemporary({ language: 'zh' });
		await opened.byId('composer').fill('秘密');
		opened.backend.put(aChat({ id: 'other' }));
		opened.app.show('other');

		await expect.element(page.getByText('内容已丢弃')).toBeVisible();
		expect(traces()).not.toContain('秘密');
		await page.getByRole('button', { name: '继续写' }).click();
		await vi.waitUntil(() => opened.app.isTemporary);
		await expect.element(opened.byId('composer')).toHaveValue('秘密');
	});

	test('and coming back when it is gone: the page says why', async () => {
		await openPage({ chatId: 'gone' });
		await expect.element(page.getByText('A temporary chat is gone once')).toBeVisible();
	});
});
