/** Whoever works by keyboard is not thrown out of the page: when a control goes, the focus goes on. */

import { describe, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { aChat, aMessage } from './builders';
import { FakeBackend } from './fake_backend';
import { ask, openPage } from './page';

type Opened = Awaited<ReturnType<typeof openPage>>;
const composer = () => document.querySelector('[data-testid=composer]');
const isHome = () => document.activeElement === composer();

function withVersions() {
	const backend = new FakeBackend();
	const sibling_ids = ['a', 'b', 'c'];
	const version = (id: string) =>
		aMessage({ id, parent_id: 'q', role: 'assistant', content: `Version ${id}.`, sibling_ids });
	const messages = [aMessage({ id: 'q', content: 'Why?' }), ...sibling_ids.map(version)];
	backend.put(aChat({ id: 'chat', active_leaf_id: 'c', messages }));
	return backend;
}

const press = async ({ byId }: Opened, id: string, key = '{Enter}') => {
	await expect.element(byId(id).last()).toBeInTheDocument();
	byId(id).last().element().focus();
	await userEvent.keyboard(key);
};

describe('the focus comes back to the message box', () => {
	test('after Stop', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.delta(run, 'So');
		await press(opened, 'stop');
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-status', 'stopped');

		await vi.waitUntil(isHome);
	});

	test.each(['regenerate', 'edit'] as const)('after %s', async (id) => {
		const opened = await openPage({ backend: withVersions(), chatId: 'chat' });
		await press(opened, id);
		if (id === 'edit') await userEvent.keyboard('!{Enter}');
		await vi.waitUntil(() => opened.backend.runs.size === 1);

		await vi.waitUntil(isHome);
	});

	test('after a message was deleted', async () => {
		const opened = await openPage({ backend: withVersions(), chatId: 'chat' });
		await press(opened, 'message-menu');
		await press(opened, 'message-delete');
		await press(opened, 'delete-confirm');
		await vi.waitUntil(() => opened.backend.callsOf('deleteMessage').length === 1);

		await vi.waitUntil(isHome);
	});
});

test('who goes from version to version by keyboard can go on', async () => {
	const opened = await openPage({ backend: withVersions(), chatId: 'chat' });
	await press(opened, 'branch-prev');
	await expect.element(opened.byId('branch-position')).toHaveTextContent('2/3');
	await expect.element(opened.byId('branch-prev')).toHaveFocus();
	await userEvent.keyboard('{Enter}');
	await expect.element(opened.byId('branch-position')).toHaveTextContent('1/3');

	// There is none before the first one.
	await expect.element(opened.byId('branch-next')).toHaveFocus();
});

test('who reads and has the focus nowhere is not taken to the message box', async () => {
	const opened = await openPage();
	const run = await ask(opened);
	opened.backend.delta(run, 'A text that is read.');
	await expect.element(opened.byId('content').last()).toHaveTextContent('A text that is read.');
	await opened.byId('content').last().click();
	expect(document.activeElement).toBe(document.body);

	opened.backend.end(run, 'completed');
	await expect.element(opened.byId('message').last()).toHaveAttribute('data-status', 'completed');
	await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

	expect(document.activeElement).toBe(document.body);
});
