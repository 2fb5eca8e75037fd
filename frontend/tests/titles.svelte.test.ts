/** Titles by the model: on request from both menus, with who waits, what fails, and an engine that is not there. */

import { expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { Failure } from '../src/lib/types/failure';
import { aChat, aMessage } from './builders';
import { FakeBackend, healthOf } from './fake_backend';
import { openPage } from './page';

function withChat() {
	const backend = new FakeBackend();
	const messages = [aMessage({ id: 'm', chat_id: 'chat', content: 'Why?' })];
	backend.put(aChat({ id: 'chat', title: 'Why?', messages, active_leaf_id: 'm' }));
	return backend;
}

test.each([
	['the sidebar', 'chat-menu'],
	['the header', 'chat-actions']
])('from %s: the title comes when the model has said it', async (_, menu) => {
	const backend = withChat();
	let answer: () => void = () => undefined;
	const title = backend.api.titleChat.bind(backend.api);
	backend.api.titleChat = async (id) => {
		await new Promise<void>((resolve) => (answer = resolve));
		return title(id);
	};
	const { byId } = await openPage({ backend, chatId: 'chat' });
	await byId(menu).click();
	await byId('chat-title').click();

	await expect.element(byId('titling')).toBeVisible();
	await byId(menu).click();
	await expect.element(byId('chat-title')).toHaveTextContent('Asking the model for a title…');
	await expect.element(byId('chat-title')).toHaveAttribute('aria-disabled', 'true');
	answer();

	await expect.element(page.getByRole('heading', { level: 1 })).toHaveTextContent('A good title');
	await expect.element(byId('chat-item')).toHaveTextContent('A good title');
	await expect.element(byId('titling')).not.toBeInTheDocument();
});

test('what fails is said, and the title stays', async () => {
	const backend = withChat();
	backend.refusals.set(
		'titleChat',
		new Failure('engine_error', { status: 502, detail: 'The model gave no title.' })
	);
	const { byId } = await openPage({ backend, chatId: 'chat', settings: { language: 'zh' } });
	await byId('chat-menu').click();
	await expect.element(byId('chat-title')).toHaveTextContent('让模型起标题');
	await byId('chat-title').click();

	await expect.element(page.getByText('引擎拒绝了请求或出错了')).toBeVisible();
	await expect.element(byId('chat-item')).toHaveTextContent('Why?');
	await expect.element(byId('titling')).not.toBeInTheDocument();
});

test('an engine that is not there is not asked', async () => {
	const backend = withChat();
	backend.health = healthOf('unreachable', 'No engine answers.');
	const { app, byId } = await openPage({ backend, chatId: 'chat' });
	await vi.waitUntil(() => app.engine.phase === 'unreachable');
	await byId('chat-actions').click();

	await expect.element(byId('chat-title')).toHaveTextContent('the engine is not ready');
	await expect.element(byId('chat-title')).toHaveAttribute('aria-disabled', 'true');
});

test('the header renames in place', async () => {
	const { backend, byId } = await openPage({ backend: withChat(), chatId: 'chat' });
	await byId('chat-actions').click();
	await byId('chat-rename').click();
	await byId('title-box').fill('By hand');
	byId('title-box').element().blur();

	await expect.element(page.getByRole('heading', { level: 1 })).toHaveTextContent('By hand');
	expect(backend.callsOf('updateChat')).toEqual([['chat', { title: 'By hand' }]]);
});
