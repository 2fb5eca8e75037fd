import { describe, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { Failure } from '../src/lib/types/failure';
import { aChat, aMessage } from './builders';
import { FakeBackend } from './fake_backend';
import { ask, openPage } from './page';

const region = () => document.querySelector<HTMLElement>('[data-testid=messages]')!;
const fromEnd = () => region().scrollHeight - region().clientHeight - region().scrollTop;
const nextFrames = () =>
	new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/** A chat with one question and one answer in the given state. */
function withAnswer(answer: Parameters<typeof aMessage>[0] extends infer F ? Partial<F> : never) {
	const backend = new FakeBackend();
	const question = aMessage({ id: 'q', content: 'Why?' });
	const message = aMessage({
		id: 'a',
		parent_id: 'q',
		role: 'assistant',
		content: 'Because.',
		...answer
	});
	backend.put(aChat({ id: 'chat', active_leaf_id: 'a', messages: [question, message] }));
	return backend;
}

describe('an answer', () => {
	test('is shown while it is written, with its state', async () => {
		const opened = await openPage();
		const run = await ask(opened, 'Why is the sky blue?');
		const answer = opened.byId('message').last();
		await expect.element(answer).toHaveAttribute('data-role', 'assistant');
		await expect.element(answer).toHaveAttribute('data-status', 'streaming');

		opened.backend.delta(run, 'Rayleigh ');
		opened.backend.delta(run, 'scattering.');
		await expect.element(answer.getByTestId('content')).toHaveTextContent('Rayleigh scattering.');

		opened.backend.end(run, 'completed');
		await expect.element(answer).toHaveAttribute('data-status', 'completed');
		await expect.element(answer.getByTestId('regenerate')).toBeInTheDocument();
	});

	test('shows its thinking closed, alive while it lasts, and opens on demand', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.think(run, 'Let me see.');
		const thinking = opened.byId('thinking');
		await expect.element(thinking).toHaveAttribute('data-live', 'true');
		await expect.element(thinking).toHaveTextContent('Thinking…');
		expect(thinking.element().hasAttribute('open')).toBe(false);

		opened.backend.delta(run, 'Because.');
		await expect.element(thinking).toHaveAttribute('data-live', 'false');
		await thinking.getByText('Thought').click();
		await expect.element(thinking).toHaveTextContent('Let me see.');
	});

	test.each([
		[
			'failed',
			{ error: { code: 'engine_error', detail: 'CUDA out of memory' } },
			/^No answer: The engine refused or failed\.\s*CUDA out of memory/
		],
		[
			'interrupted',
			{ error: { code: 'engine_lost', detail: '' } },
			/^Interrupted: The connection to the engine broke\./
		],
		['interrupted', {}, /^Interrupted: /],
		[
			'stopped',
			{ receipt: { confirmed: true, engine_released_ms: 38.2, tokens: 212 } },
			/^Stopped after 212 tokens\. Engine free after 38 ms\.$/
		],
		['completed', { finish_reason: 'length' }, /length limit/]
	] as const)('that %s says so in words: %j', async (status, metadata, words) => {
		const backend = withAnswer({ status, metadata: metadata as never });
		const { byId } = await openPage({ backend, chatId: 'chat' });

		await expect.element(byId('outcome')).toBeVisible();
		expect(byId('outcome').element().textContent?.trim()).toMatch(words);
	});

	test('that was interrupted says so in Chinese, in the words agreed', async () => {
		const backend = withAnswer({
			status: 'interrupted',
			metadata: { error: { code: 'engine_lost', detail: '' } }
		});
		const { byId } = await openPage({ backend, chatId: 'chat', settings: { language: 'zh' } });

		await expect.element(byId('outcome')).toHaveTextContent('生成中断: 与引擎的连接断开了。');
	});

	test('that failed can be tried again: a sibling answer to the same question', async () => {
		const backend = withAnswer({ status: 'failed', content: '' });
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await byId('retry').click();

		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
		expect(backend.callsOf('startRun')[0]).toMatchObject(['chat', { parent_id: 'q' }]);
		await expect.element(byId('branch-position')).toHaveTextContent('2/2');
	});

	test('tells the engine’s figures, and which of them are not reported', async () => {
		const backend = withAnswer({
			model: 'Qwen3-0.6B',
			metadata: {
				usage: { prompt_tokens: 1234, completion_tokens: 56 },
				timings: { time_to_first_token_ms: 41.4, tokens_per_second: 52.3 }
			}
		});
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect
			.element(byId('stats'))
			.toHaveTextContent('first token 41 ms · 52 tok/s · 56 tokens');

		await byId('stats').click();
		await expect.element(page.getByText('1,234')).toBeVisible();
		await expect.element(page.getByText('not reported').first()).toBeVisible();
	});

	test('without figures says that none were reported', async () => {
		const { byId } = await openPage({ backend: withAnswer({}), chatId: 'chat' });

		await expect.element(byId('stats')).toHaveTextContent('no figures reported');
	});
});

describe('versions', () => {
	test('editing a question keeps the old one, and one can go back and forth', async () => {
		const backend = withAnswer({});
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await byId('edit').click();
		await expect.element(byId('edit-box')).toHaveFocus();
		await byId('edit-box').fill('How?');
		await page.getByRole('button', { name: 'Send' }).first().click();
		await vi.waitUntil(() => backend.runs.size === 1);
		backend.end(backend.lastRun, 'completed', { content: 'So.' });

		const question = byId('message').first();
		await expect.element(question).toHaveTextContent('How?');
		await byId('branch-prev').click();
		await expect.element(question).toHaveTextContent('Why?');
		await expect.element(byId('message').last()).toHaveTextContent('Because.');
		expect(backend.callsOf('updateChat').at(-1)).toMatchObject(['chat', { active_leaf_id: 'a' }]);

		await byId('branch-next').click();
		await expect.element(byId('message').last()).toHaveTextContent('So.');
	});

	test('Escape leaves the editor and changes nothing', async () => {
		const { byId, backend } = await openPage({ backend: withAnswer({}), chatId: 'chat' });
		await byId('edit').click();
		await byId('edit-box').fill('How?');
		await userEvent.keyboard('{Escape}');

		await expect.element(byId('message').first()).toHaveTextContent('Why?');
		expect(backend.callsOf('startRun')).toEqual([]);
	});
});

describe('a message that was not accepted', () => {
	test('stays with the cause; over the limit Retry waits for its time', async () => {
		const opened = await openPage();
		opened.backend.refusals.set(
			'startRun',
			new Failure('too_many_runs', { status: 429, retryAfterS: 1 })
		);
		await opened.byId('composer').fill('Why?');
		await opened.byId('send').click();

		await expect.element(opened.byId('message')).toHaveTextContent('Not sent.');
		await expect.element(opened.byId('retry')).toBeDisabled();
		await expect.element(opened.byId('retry')).toHaveTextContent('Retry in 1 sec');
		await expect.element(opened.byId('retry')).toBeEnabled();
		await opened.byId('retry').click();
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-role', 'assistant');
	});

	test('can be taken back into the composer', async () => {
		const opened = await openPage();
		opened.backend.refusals.set(
			'createChat',
			new Failure('storage_full', { status: 503, detail: 'full' })
		);
		await opened.byId('composer').fill('precious words');
		await opened.byId('send').click();
		await expect
			.element(opened.byId('message'))
			.toHaveTextContent('The disk of the server is full.');
		await opened.byId('take-back').click();

		await expect.element(opened.byId('composer')).toHaveValue('precious words');
		expect(opened.byId('message').elements()).toHaveLength(0);
	});

	test('is sent by itself when the connection is back', async () => {
		const opened = await openPage();
		opened.backend.goOffline();
		await opened.byId('composer').fill('Why?');
		await opened.byId('send').click();
		await expect.element(opened.byId('message')).toHaveTextContent('No connection to the server.');

		opened.backend.goOnline();

		await expect.element(opened.byId('message').last()).toHaveAttribute('data-role', 'assistant');
		expect(opened.byId('message').elements()).toHaveLength(2);
	});
});

describe('scrolling', () => {
	const long = (name: string) => `${name} paragraph\n\n`.repeat(60);

	test('a chat opens at its end and follows what comes', async () => {
		const opened = await openPage({
			backend: withAnswer({ content: long('Old') }),
			chatId: 'chat'
		});
		await expect.element(opened.byId('message').last()).toBeInTheDocument();
		await vi.waitUntil(() => region().scrollHeight > region().clientHeight && fromEnd() < 2);

		const run = await ask(opened);
		opened.backend.delta(run, long('New'));
		await expect.element(opened.byId('message').last()).toHaveTextContent('New paragraph');

		await vi.waitUntil(() => fromEnd() < 2);
		expect(opened.byId('jump-to-latest').elements()).toHaveLength(0);
	});

	test('a reader who scrolled up stays there until asking for the end', async () => {
		const opened = await openPage({
			backend: withAnswer({ content: long('Old') }),
			chatId: 'chat'
		});
		await expect.element(opened.byId('message').last()).toBeInTheDocument();
		const run = await ask(opened);
		await vi.waitUntil(() => fromEnd() < 2);
		region().scrollTop -= 60;
		await nextFrames();
		const top = region().scrollTop;

		opened.backend.delta(run, long('New'));
		await expect.element(opened.byId('message').last()).toHaveTextContent('New paragraph');
		await nextFrames();
		expect(region().scrollTop).toBe(top);

		await opened.byId('jump-to-latest').click();
		expect(fromEnd()).toBeLessThan(2);
		opened.backend.delta(run, long('More'));
		await expect.element(opened.byId('message').last()).toHaveTextContent('More paragraph');
		await vi.waitUntil(() => fromEnd() < 2);
	});
});

describe('a chat that cannot be shown', () => {
	test.each([
		['chat_not_found', 'This chat does not exist, or was deleted.'],
		['internal_error', 'The server ran into an error.']
	] as const)('%s says so and offers a way on', async (code, words) => {
		const backend = withAnswer({});
		backend.refusals.set('join', new Failure(code, { status: 404 }));
		await openPage({ backend, chatId: 'chat' });

		await expect.element(page.getByRole('alert')).toHaveTextContent(words);
		await expect.element(page.getByRole('button', { name: 'Start a new chat' })).toBeVisible();
	});
});
