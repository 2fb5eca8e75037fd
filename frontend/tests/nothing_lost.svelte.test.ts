/** Escape and a dialog that is closed lose no text: it is there again when one comes back. */

import { expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { Failure } from '../src/lib/types/failure';
import { aChat, aMessage } from './builders';
import { FakeBackend } from './fake_backend';
import { openPage } from './page';

function withAnswer() {
	const backend = new FakeBackend();
	const question = aMessage({ id: 'q', content: 'Why?' });
	const facts = { role: 'assistant', content: 'Because.' } as const;
	const answer = aMessage({ id: 'a', parent_id: 'q', ...facts });
	backend.put(aChat({ id: 'chat', active_leaf_id: 'a', messages: [question, answer] }));
	return backend;
}

test('an edited message that was left by Escape is taken up again, and given up by Cancel', async () => {
	const { byId } = await openPage({ backend: withAnswer(), chatId: 'chat' });
	await byId('edit').click();
	await byId('edit-box').fill('Why indeed?');
	await userEvent.keyboard('{Escape}');
	await expect.element(byId('message').first()).toHaveTextContent('Why?');

	await byId('edit').click();
	await expect.element(byId('edit-box')).toHaveValue('Why indeed?');
	await page.getByRole('button', { name: 'Cancel' }).click();
	await byId('edit').click();
	await expect.element(byId('edit-box')).toHaveValue('Why?');
});

test('an edited answer that the server refuses is still in its editor', async () => {
	const backend = withAnswer();
	const { byId } = await openPage({ backend, chatId: 'chat' });
	backend.refusals.set('updateMessage', new Failure('storage_busy', { status: 503 }));
	await byId('message-menu').last().click();
	await byId('message-rewrite').click();
	await byId('edit-box').fill('A better answer.');
	await byId('edit-save').click();

	await expect.element(page.getByText('The database is busy.')).toBeVisible();
	await expect.element(byId('edit-box')).toHaveValue('A better answer.');
	await byId('edit-save').click();
	await expect.element(byId('content').last()).toHaveTextContent('A better answer.');
});

test.each([
	['enter', '{Enter}', 1],
	['mod-enter', '{Enter}', 0],
	['mod-enter', '{Control>}{Enter}{/Control}', 1]
] as const)(
	'the key that sends (%s) sends an edited message too: %s',
	async (sendKey, keys, runs) => {
		const backend = withAnswer();
		const { byId } = await openPage({ backend, chatId: 'chat', settings: { sendKey } });
		await byId('edit').click();
		await userEvent.keyboard(`!${keys}`);

		await vi.waitUntil(() => byId('edit-box').elements().length === 1 - runs);
		await vi.waitUntil(() => backend.callsOf('startRun').length === runs);
	}
);

test('settings that were closed before they were saved are taken up again', async () => {
	const backend = withAnswer();
	const { byId, app } = await openPage({ backend, chatId: 'chat' });
	await byId('settings').click();
	await byId('system-prompt').fill('Answer in three words.');
	await expect.element(page.getByText('Not saved yet')).toBeVisible();
	await userEvent.keyboard('{Escape}');
	await vi.waitUntil(() => app.dialog === null);

	await page.getByRole('button', { name: 'Go on editing' }).click();
	await expect.element(byId('system-prompt')).toHaveValue('Answer in three words.');
	await byId('save').click();
	await vi.waitUntil(() => backend.chat('chat').system_prompt === 'Answer in three words.');
	await vi.waitUntil(() => !document.body.textContent?.includes('Not saved yet'));
});

test('what is written into the settings can be taken back', async () => {
	const { byId } = await openPage({ backend: withAnswer(), chatId: 'chat' });
	await byId('settings').click();
	await byId('temperature').fill('0.3');
	await byId('settings-undo').click();

	await expect.element(byId('temperature')).toHaveValue('');
	expect(byId('settings-undo').elements()).toHaveLength(0);
});

test('a preset that was closed before it was saved is taken up again', async () => {
	const { byId, app, backend } = await openPage();
	app.dialog = 'presets';
	await byId('preset-new').click();
	await byId('preset-prompt').fill('Translate {{text}}');
	await userEvent.keyboard('{Escape}');
	await vi.waitUntil(() => app.dialog === null);

	await page.getByRole('button', { name: 'Go on editing' }).click();
	await expect.element(byId('preset-prompt')).toHaveValue('Translate {{text}}');
	await byId('preset-name').fill('Translate');
	await byId('preset-save').click();
	await vi.waitUntil(() => backend.presets.size === 1);
	app.dialog = null;
	app.dialog = 'presets';
	await expect.element(byId('preset')).toHaveTextContent('Translate');
});

test('a question that does not fit goes along into a new chat', async () => {
	const backend = new FakeBackend();
	const question = aMessage({ id: 'q', content: 'A long question' });
	const metadata = { error: { code: 'context_too_long', detail: '' } } as const;
	const failed = { role: 'assistant', status: 'failed', metadata } as const;
	const answer = aMessage({ id: 'a', parent_id: 'q', ...failed });
	backend.put(aChat({ id: 'chat', active_leaf_id: 'a', messages: [question, answer] }));
	const { byId } = await openPage({ backend, chatId: 'chat' });

	await byId('ask-anew').click();

	await expect.element(byId('composer')).toHaveValue('A long question');
});
