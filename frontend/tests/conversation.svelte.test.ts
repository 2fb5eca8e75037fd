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
				usage: {
					prompt_tokens: 1234,
					completion_tokens: 56,
					prompt_tokens_details: { cached_tokens: 928 },
					completion_tokens_details: { reasoning_tokens: 24 }
				},
				timings: { time_to_first_token_ms: 41.4, tokens_per_second: 52.3 }
			}
		});
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect
			.element(byId('stats'))
			.toHaveTextContent('first token 41 ms · 52 tok/s · 56 tokens · 75% cached');

		await byId('stats').click();
		await expect.element(page.getByText('1,234')).toBeVisible();
		await expect.element(page.getByText('928')).toBeVisible();
		const rows = document.querySelector('dl')?.textContent?.replace(/\s+/g, ' ');
		expect(rows).toContain('Thinking tokens 24');
		expect(rows).toContain('Answer tokens 32');
		await expect.element(page.getByText('not reported').first()).toBeVisible();
	});

	test.each([
		['stop', 'it was finished'],
		['length', 'it reached its length limit'],
		['a_word_of_another_engine', 'a_word_of_another_engine']
	])('says in words why it ended: %s', async (finish_reason, words) => {
		const { byId } = await openPage({
			backend: withAnswer({ metadata: { finish_reason } }),
			chatId: 'chat'
		});
		await byId('stats').click();

		const rows = document.querySelector('dl')?.textContent?.replace(/\s+/g, ' ');
		expect(rows).toContain(`Ended because ${words}`);
	});

	test('without figures says that none were reported', async () => {
		const { byId } = await openPage({ backend: withAnswer({}), chatId: 'chat' });

		await expect.element(byId('stats')).toHaveTextContent('no figures reported');
	});
});

describe('an answer that was cut', () => {
	const CUT = {
		status: 'stopped' as const,
		content: 'Because',
		metadata: { run_id: 'run-1', receipt: { confirmed: true, engine_released_ms: 38, tokens: 2 } }
	};

	test.each([
		['stopped', CUT],
		['interrupted', { ...CUT, status: 'interrupted' as const }],
		[
			'cut by its length',
			{
				...CUT,
				status: 'completed' as const,
				metadata: { run_id: 'run-1', finish_reason: 'length' }
			}
		]
	])('that is %s goes on in the same message', async (_, answer) => {
		const backend = withAnswer(answer);
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect.element(byId('regenerate')).toBeInTheDocument();
		await byId('continue').click();
		await vi.waitUntil(() => backend.callsOf('continueRun').length === 1);
		expect(backend.callsOf('continueRun')[0]).toMatchObject(['run-1', { options: {} }]);

		backend.begin(backend.lastRun);
		backend.delta(backend.lastRun, ' it is so.');
		await expect.element(byId('content').last()).toHaveTextContent('Because it is so.');
		backend.end(backend.lastRun, 'completed', { metadata: { run_id: backend.lastRun } });

		await expect.element(byId('message').last()).toHaveAttribute('data-status', 'completed');
		expect(byId('message').elements()).toHaveLength(2);
		expect(byId('continue').elements()).toHaveLength(0);
	});

	test('cannot go on once the conversation has', async () => {
		const backend = withAnswer(CUT);
		const later = aMessage({ id: 'q2', parent_id: 'a', content: 'And?' });
		backend.put({
			...backend.chat('chat'),
			messages: [...backend.chat('chat').messages, later],
			active_leaf_id: 'q2'
		});
		const { byId } = await openPage({ backend, chatId: 'chat' });

		await expect.element(byId('message').last()).toHaveTextContent('And?');
		expect(byId('continue').elements()).toHaveLength(0);
	});

	test('that did not fit offers what to leave out', async () => {
		const backend = withAnswer({
			status: 'failed',
			content: '',
			metadata: { error: { code: 'context_too_long', detail: '' } }
		});
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await byId('shorten').click();
		await expect.element(byId('edit-box')).toHaveFocus();
		await userEvent.keyboard('{Escape}');

		await byId('drop-oldest').click();
		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
		expect(backend.callsOf('startRun')[0]).toMatchObject([
			'chat',
			{ parent_id: 'q', options: { context: 'drop_oldest' } }
		]);
	});
});

describe('thinking', () => {
	test('tells its time and about how much, and can be ended for the answer', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.think(run, 'Let me see. '.repeat(40));
		await expect
			.element(opened.byId('thinking'))
			.toHaveTextContent(/Thinking… (\d s · )?about \d+ tokens?/);
		await opened.byId('answer-now').click();

		await vi.waitUntil(() => opened.backend.callsOf('answerNow').length === 1);
		expect(opened.backend.callsOf('answerNow')[0]).toEqual([run]);
		opened.backend.delta(run, 'So.');
		await expect.element(opened.byId('thinking')).toHaveAttribute('data-live', 'false');
		expect(opened.byId('answer-now').elements()).toHaveLength(0);
	});
});

describe('what else can be done with a message', () => {
	const twoVersions = () => {
		const backend = withAnswer({ sibling_ids: ['a', 'b'] });
		const chat = backend.chat('chat');
		const other = aMessage({
			id: 'b',
			parent_id: 'q',
			role: 'assistant',
			content: 'Because of rain.',
			sibling_ids: ['a', 'b']
		});
		backend.put({ ...chat, messages: [...chat.messages, other], active_leaf_id: 'b' });
		return backend;
	};
	const choose = async (byId: Awaited<ReturnType<typeof openPage>>['byId'], id: string) => {
		await byId('message-menu').last().click();
		await byId(`message-${id}`).click();
	};

	test('two versions are compared word by word', async () => {
		const { byId } = await openPage({ backend: twoVersions(), chatId: 'chat' });
		await choose(byId, 'compare');

		await expect.element(byId('diff')).toHaveTextContent('Because of rain.');
		const changed = [...document.querySelectorAll('[data-testid=diff] ins')];
		expect(changed.map((each) => each.textContent).join('|')).toContain('of rain');
	});

	test('the text of an answer is changed in place', async () => {
		const backend = twoVersions();
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await choose(byId, 'rewrite');
		await byId('edit-box').fill('Because of the sun.');
		await byId('edit-save').click();

		await expect.element(byId('content').last()).toHaveTextContent('Because of the sun.');
		expect(backend.callsOf('updateMessage')).toEqual([['chat', 'b', 'Because of the sun.']]);
		await expect.element(byId('branch-position')).toHaveTextContent('2/2');
	});

	test('it is deleted with what is below it, after a question', async () => {
		const { byId } = await openPage({ backend: withAnswer({}), chatId: 'chat' });
		await byId('message-menu').first().click();
		await byId('message-delete').click();
		await expect.element(byId('delete-dialog')).toHaveTextContent('The message below it');
		await byId('delete-confirm').click();

		await expect.element(byId('starter').first()).toBeVisible();
	});

	test('the moment it was written stands beside its actions and in its menu', async () => {
		const { byId } = await openPage({
			backend: withAnswer({ created_at: '2025-11-18T08:05:00.000000Z' }),
			chatId: 'chat'
		});
		const time = byId('message-time').last();
		await expect.element(time).toHaveTextContent(/^Nov 18, 2025, \d/);
		await expect.element(time).toHaveAttribute('datetime', '2025-11-18T08:05:00.000000Z');
		expect(time.element().getAttribute('title')).toMatch(/^Tuesday, November 18, 2025 at \d/);

		await byId('message-menu').last().click();

		await expect
			.element(byId('message-moment'))
			.toHaveTextContent(/^Tuesday, November 18, 2025 at \d/);
	});

	test('a time of today tells its day when another day has begun', async () => {
		const backend = withAnswer({ created_at: new Date().toISOString() });
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect.element(byId('message-time').last()).toHaveTextContent(/^\d+:\d\d/);

		vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
		window.dispatchEvent(new Event('focus'));
		vi.useRealTimers();

		await expect.element(byId('message-time').last()).toHaveTextContent(/^[A-Z][a-z]+ \d/);
		window.dispatchEvent(new Event('focus'));
	});

	test('a chat of its own begins from here', async () => {
		const backend = withAnswer({});
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await choose(byId, 'fork');

		await vi.waitUntil(() => backend.callsOf('forkChat').length === 1);
		expect(backend.callsOf('forkChat')[0]).toEqual(['chat', 'a']);
	});
});

describe('a very long message', () => {
	test('is folded until it is asked for', async () => {
		const backend = withAnswer({});
		const chat = backend.chat('chat');
		chat.messages[0]!.content = 'word '.repeat(20_000);
		backend.put(chat);
		const { byId } = await openPage({ backend, chatId: 'chat' });
		const shown = () => byId('content').first().element().textContent?.length ?? 0;
		await expect.element(byId('fold')).toHaveTextContent('Show all 100,000 characters');
		expect(shown()).toBeLessThan(1_000);

		await byId('fold').click();
		await vi.waitUntil(() => shown() >= 99_000);
	});
});

describe('what a screen reader hears', () => {
	const heard = () => document.querySelector('[data-testid=announcer]')?.textContent ?? '';

	test('is sentences as they are finished, not tokens', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.delta(run, 'The sky is blue. Be');
		await vi.waitUntil(() => heard().includes('The sky is blue.'));
		expect(heard()).not.toContain('Be');

		opened.backend.delta(run, 'cause of scattering');
		opened.backend.end(run, 'completed');
		await vi.waitUntil(() => heard().includes('Because of scattering'));
		expect(heard()).toContain('The answer is complete.');
	});

	test.each([
		['stopped', 'Stopped.'],
		['failed', 'The model is writing…']
	] as const)('does not call an answer complete that was %s', async (outcome, last) => {
		const opened = await openPage();
		const run = await ask(opened);
		await vi.waitUntil(() => heard().includes('The model is writing…'));
		opened.backend.end(run, outcome, { content: '' });
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-status', outcome);

		await vi.waitUntil(() => heard().endsWith(last));
		expect(heard()).not.toContain('complete');
	});

	test('begins with the first sentence, also if it came before the page was drawn', async () => {
		const opened = await openPage();
		await opened.byId('composer').fill('Why?');
		const { startRun } = opened.backend.api;
		opened.backend.api.startRun = async (...request) => {
			const started = await startRun(...request);
			opened.backend.begin(started.run.id);
			opened.backend.delta(started.run.id, 'The sky is blue. Be');
			return started;
		};
		await opened.byId('send').click();
		await vi.waitUntil(() => heard().includes('The sky is blue.'));
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
	test('stays with the cause; over the limit it is sent again when its time has come', async () => {
		const opened = await openPage();
		opened.backend.refusals.set(
			'startRun',
			new Failure('too_many_runs', { status: 429, retryAfterS: 3 })
		);
		await opened.byId('composer').fill('Why?');
		await opened.byId('send').click();

		await expect.element(opened.byId('message')).toHaveTextContent('Not sent.');
		await expect.element(opened.byId('retry')).toBeDisabled();
		await expect.element(opened.byId('retry')).toHaveTextContent(/Retry in [123] s/);
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-role', 'assistant');
		expect(opened.backend.callsOf('startRun')).toHaveLength(2);
	});

	test('can be changed and deleted where it waits, and deleting be undone', async () => {
		const opened = await openPage();
		opened.backend.refusals.set(
			'createChat',
			new Failure('storage_full', { status: 507, detail: 'full' })
		);
		await opened.byId('composer').fill('precious words');
		await opened.byId('send').click();
		await expect
			.element(opened.byId('message'))
			.toHaveTextContent('The disk of the server is full.');

		await opened.byId('outbox-delete').click();
		expect(opened.byId('message').elements()).toHaveLength(0);
		opened.backend.refusals.set('createChat', new Failure('storage_full', { status: 507 }));
		await page.getByRole('button', { name: 'Undo' }).click();
		await expect.element(opened.byId('message')).toHaveTextContent('precious words');

		await opened.byId('outbox-edit').click();
		await opened.byId('edit-box').fill('better words');
		await opened.byId('edit-save').click();
		await vi.waitUntil(() => opened.backend.callsOf('startRun').length === 1);
		expect(opened.backend.callsOf('startRun')[0]?.[1]).toMatchObject({
			message: { content: 'better words' }
		});
	});

	test('written while an answer streams waits for its end, and goes in order', async () => {
		const opened = await openPage();
		const run = await ask(opened, 'One?');
		for (const text of ['Two?', 'Three?']) {
			await opened.byId('composer').fill(text);
			await opened.byId('send').click();
		}
		await expect
			.element(opened.byId('message').last())
			.toHaveTextContent('Goes out after this answer.');
		expect(opened.backend.callsOf('startRun')).toHaveLength(1);

		opened.backend.end(run, 'completed', { content: 'One.' });
		await vi.waitUntil(() => opened.backend.callsOf('startRun').length === 2);
		opened.backend.end(opened.backend.lastRun, 'completed', { content: 'Two.' });
		await vi.waitUntil(() => opened.backend.callsOf('startRun').length === 3);
		opened.backend.end(opened.backend.lastRun, 'completed', { content: 'Three.' });

		await vi.waitUntil(() => opened.byId('message').elements().length === 6);
		const texts = opened
			.byId('content')
			.elements()
			.map((each) => each.textContent?.trim());
		expect(texts).toEqual(['One?', 'One.', 'Two?', 'Two.', 'Three?', 'Three.']);
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
	test('because it was deleted elsewhere can be brought back', async () => {
		const backend = withAnswer({});
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect.element(byId('message').last()).toBeVisible();
		await backend.api.deleteChat('chat');
		await expect.element(page.getByRole('alert')).toHaveTextContent('This chat was deleted.');

		await byId('restore').click();

		await expect.element(byId('message').last()).toHaveTextContent('Because.');
		await expect.element(byId('composer')).toBeVisible();
	});

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

describe('a long chat', () => {
	const TURNS = 90;
	const numbers = () =>
		[...document.querySelectorAll<HTMLElement>('[data-message-id]')].map((turn) =>
			Number(turn.dataset.messageId?.slice(1))
		);

	function withTurns() {
		const backend = new FakeBackend();
		const messages = Array.from({ length: TURNS }, (_, at) =>
			aMessage({
				...{ id: `m${at}`, parent_id: at ? `m${at - 1}` : null, content: `Turn ${at}.` },
				role: at % 2 ? 'assistant' : 'user'
			})
		);
		backend.put(aChat({ id: 'chat', active_leaf_id: `m${TURNS - 1}`, messages }));
		return backend;
	}

	test('opens at its end with the newest turns alone, and older ones come without a move', async () => {
		const backend = withTurns();
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect.element(byId('message').last()).toHaveTextContent(`Turn ${TURNS - 1}.`);
		expect(backend.callsOf('join')[0]).toEqual([{ chat_id: 'chat', messages: 50 }]);

		await vi.waitUntil(() => numbers().length === TURNS, { timeout: 10_000 });
		expect(fromEnd()).toBeLessThan(2);
		expect(numbers()).toEqual(Array.from({ length: TURNS }, (_, at) => at));
		await vi.waitUntil(() => !document.querySelector('[data-testid=earlier]'));
		expect(backend.callsOf('getChat')).toEqual([]);
	});

	test('whose earlier turns cannot be had says so when they are asked for', async () => {
		const backend = withTurns();
		const { byId } = await openPage({ backend, chatId: 'chat' });
		backend.refusals.set('listMessages', new Failure('internal_error', { status: 500 }));
		await vi.waitUntil(() => numbers().length === 50, { timeout: 10_000 });
		expect(backend.callsOf('listMessages')).toHaveLength(1);
		backend.refusals.set('listMessages', new Failure('internal_error', { status: 500 }));
		await byId('earlier').click();

		await expect.element(page.getByText('The server ran into an error.')).toBeVisible();
		await byId('earlier').click();
		await vi.waitUntil(() => numbers().length > 50, { timeout: 10_000 });
	});

	test('says how many messages go with one that is deleted, also those of a branch that is not here', async () => {
		const backend = withTurns();
		const chat = backend.chat('chat');
		const sibling_ids = ['m89', 'x'];
		chat.messages.at(-1)!.sibling_ids = sibling_ids;
		chat.messages.push(
			aMessage({ id: 'x', parent_id: 'm88', role: 'assistant', content: 'Other.', sibling_ids })
		);
		backend.put({ ...chat, active_leaf_id: 'm89' });
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await expect.element(byId('message').last()).toHaveTextContent('Turn 89.');
		const question = byId('message').last().element().closest('li')?.previousElementSibling;
		question?.querySelector<HTMLElement>('[data-testid=message-menu]')?.click();
		await byId('message-delete').click();

		await expect.element(byId('delete-dialog')).toHaveTextContent('The 2 messages below it');
	});
});
