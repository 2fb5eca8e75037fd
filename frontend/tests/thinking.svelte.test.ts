/** How long the model thought: from the page's clock while it does, from the server ever after. */

import { expect, test, vi } from 'vitest';
import { aChat, aMessage } from './builders';
import { FakeBackend } from './fake_backend';
import { ask, openPage } from './page';

const usage = { completion_tokens: 200, completion_tokens_details: { reasoning_tokens: 164 } };

test.each([
	['en', { timings: { thinking_ms: 3_240 }, usage }, 'Thought for 3.2 s · 164 tokens'],
	['zh', { timings: { thinking_ms: 3_240 }, usage }, '思考了 3.2 秒 · 164 个 token'],
	['en', { usage }, 'Thought · 164 tokens'],
	['en', { timings: { thinking_ms: 850 } }, 'Thought for 850 ms']
] as const)(
	'after a reload it is what the server has measured (%s)',
	async (language, metadata, words) => {
		const backend = new FakeBackend();
		const question = aMessage({ id: 'q', content: 'Why?' });
		const answer = aMessage({
			id: 'a',
			parent_id: 'q',
			role: 'assistant',
			reasoning: 'Hm.',
			content: 'So.',
			metadata
		});
		backend.put(aChat({ id: 'chat', messages: [question, answer], active_leaf_id: 'a' }));
		const { byId } = await openPage({ backend, chatId: 'chat', settings: { language } });

		await expect.element(byId('thinking')).toHaveTextContent(words);
	}
);

test('its clock begins with the thought, and gives way to the server’s figure', async () => {
	const opened = await openPage();
	const run = await ask(opened);
	const begunAt = Date.now();
	const now = vi.spyOn(Date, 'now').mockReturnValue(begunAt + 60_000);
	opened.backend.think(run, 'Hm.');
	await vi.waitUntil(() => opened.app.open!.store.runSince === begunAt + 60_000);
	now.mockRestore();

	await expect.element(opened.byId('thinking')).toHaveAttribute('data-live', 'true');
	opened.backend.delta(run, 'So.');
	await expect.element(opened.byId('thinking')).toHaveAttribute('data-live', 'false');
	opened.backend.end(run, 'completed', { metadata: { timings: { thinking_ms: 3_240 } } });
	await expect.element(opened.byId('thinking')).toHaveTextContent('Thought for 3.2 s');
});
