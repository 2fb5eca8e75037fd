import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { aChat } from '../../../tests/builders';
import { FakeBackend } from '../../../tests/fake_backend';
import { Failure } from '$lib/types/failure';
import type { KeyValueStore } from '$lib/utils/storage';
import { ChatStore } from './chat.svelte';
import { ChatCommands } from './commands.svelte';
import { retryAfterMs } from './patience';
import { UnsentMessages } from './unsent.svelte';

function memoryStorage(): KeyValueStore {
	const kept = new Map<string, string>();
	return {
		read: (key) => JSON.parse(kept.get(key) ?? 'null') as unknown,
		write: (key, value) => void kept.set(key, JSON.stringify(value)),
		remove: (key) => void kept.delete(key),
		keys: () => [...kept.keys()]
	};
}

let backend: FakeBackend;
let storage: KeyValueStore;
let stores: ChatStore[];
let store: ChatStore;
let commands: ChatCommands;

/** A page on the chat, as after a reload. */
async function openTab(): Promise<{ store: ChatStore; commands: ChatCommands }> {
	const opened = new ChatStore('chat', 'loading', backend.realtime, {
		soon: (action) => action(),
		cancel: () => undefined
	});
	stores.push(opened);
	const unsent = new UnsentMessages(storage);
	const made = { store: opened, commands: new ChatCommands(opened, backend.api, unsent) };
	if (backend.isReachable) await opened.join();
	return made;
}
const settled = () => vi.advanceTimersByTimeAsync(0);
const texts = (chat = store) => chat.path.map(({ role, content }) => `${role}: ${content}`);
const waiting = (of = commands) =>
	of.outbox.pending.map(({ unsent, state }) => `${state}: ${unsent.request.message.content}`);
const idOf = (index: number) => commands.outbox.pending[index]!.unsent.request.message.id;
const end = (content: string) => backend.end(backend.lastRun, 'completed', { content });

beforeEach(async () => {
	vi.useFakeTimers();
	backend = new FakeBackend();
	storage = memoryStorage();
	stores = [];
	backend.put(aChat({ id: 'chat' }));
	backend.realtime.connect({
		connected: () => undefined,
		disconnected: () => undefined,
		event: (event) => stores.forEach((each) => each.handle(event))
	});
	({ store, commands } = await openTab());
});
afterEach(() => {
	stores.forEach((each) => each.leave());
	vi.useRealTimers();
	vi.restoreAllMocks();
});

describe('what could not be sent', () => {
	test('survives a reload and goes out once when the way is open again', async () => {
		backend.goOffline();
		await commands.send('Why?');
		expect(waiting()).toEqual(['failed: Why?']);
		commands.outbox.dispose();

		const reloaded = await openTab();
		expect(waiting(reloaded.commands)).toEqual(['waiting: Why?']);
		backend.goOnline();
		await reloaded.store.join();
		await settled();

		expect(waiting(reloaded.commands)).toEqual([]);
		expect(texts(reloaded.store)).toEqual(['user: Why?', 'assistant: ']);
		expect(storage.keys()).toEqual([]);
	});

	test('is tried again by itself, later each time, with the same ids', async () => {
		vi.spyOn(Math, 'random').mockReturnValue(0.5);
		for (let tries = 0; tries < 2; tries++) {
			backend.refusals.set('startRun', new Failure('storage_busy', { status: 503 }));
			if (tries === 0) await commands.send('Why?');
			else await vi.advanceTimersByTimeAsync(2_600);
			expect(waiting()).toEqual(['failed: Why?']);
		}
		await vi.advanceTimersByTimeAsync(3_500);
		expect(backend.callsOf('startRun')).toHaveLength(2);
		await vi.advanceTimersByTimeAsync(700);

		expect(texts()).toEqual(['user: Why?', 'assistant: ']);
		const asked = backend.callsOf('startRun');
		expect(asked).toHaveLength(3);
		expect(asked[1]).toEqual(asked[0]);
		expect(asked[2]).toEqual(asked[0]);
	});

	test('over the limit waits as long as the server says', async () => {
		backend.refusals.set('startRun', new Failure('too_many_runs', { status: 429, retryAfterS: 7 }));
		await commands.send('Why?');
		await vi.advanceTimersByTimeAsync(6_900);
		expect(backend.callsOf('startRun')).toHaveLength(1);

		await vi.advanceTimersByTimeAsync(700);
		expect(texts()).toEqual(['user: Why?', 'assistant: ']);
	});

	test('makes no second message when only the reply was lost', async () => {
		const accepted = backend.api.startRun.bind(backend.api);
		let replies = 0;
		backend.api.startRun = async (...args) => {
			const reply = await accepted(...args);
			if (replies++ === 0) throw new Failure('offline');
			return reply;
		};
		await commands.send('Why?');
		end('So.');
		await commands.outbox.retryPassing();

		expect(backend.chat('chat').messages).toHaveLength(2);
		expect(texts()).toEqual(['user: Why?', 'assistant: So.']);
		expect(waiting()).toEqual([]);
	});

	test('does not wait any more after a reload when it had arrived before it', async () => {
		const accepted = backend.api.startRun.bind(backend.api);
		backend.api.startRun = async (...args) => {
			await accepted(...args);
			return new Promise(() => undefined); // the page is gone before the reply
		};
		void commands.send('Why?');
		await settled();
		expect(storage.keys()).not.toEqual([]);

		const reloaded = await openTab();
		await settled();

		expect(waiting(reloaded.commands)).toEqual([]);
		expect(storage.keys()).toEqual([]);
		expect(backend.callsOf('startRun')).toHaveLength(1);
		expect(texts(reloaded.store)).toEqual(['user: Why?', 'assistant: ']);
	});

	test('is not sent again by itself when it was refused for good', async () => {
		backend.refusals.set('startRun', new Failure('message_too_large', { status: 413 }));
		await commands.send('Why?');
		await commands.outbox.retryPassing();
		await vi.advanceTimersByTimeAsync(60_000);
		expect(backend.callsOf('startRun')).toHaveLength(1);

		commands.outbox.rewrite(idOf(0), 'How?');
		await settled();
		expect(texts()).toEqual(['user: How?', 'assistant: ']);
	});

	test('keeps its order: nothing overtakes the first', async () => {
		backend.goOffline();
		for (const text of ['One?', 'Two?', 'Three?']) await commands.send(text);
		backend.goOnline();
		await store.join();
		await commands.outbox.retryPassing();
		for (const text of ['One.', 'Two.', 'Three.']) {
			end(text);
			await settled();
		}

		expect(texts()).toEqual([
			'user: One?',
			'assistant: One.',
			'user: Two?',
			'assistant: Two.',
			'user: Three?',
			'assistant: Three.'
		]);
	});
});

describe('what is written while an answer streams', () => {
	test('waits for the end, and can be changed and deleted until then', async () => {
		await commands.send('One?');
		for (const text of ['Two?', 'Three?']) await commands.send(text);
		expect(waiting()).toEqual(['waiting: Two?', 'waiting: Three?']);

		commands.outbox.rewrite(idOf(0), 'Two!');
		const putBack = commands.outbox.remove(idOf(1));
		expect(waiting()).toEqual(['waiting: Two!']);
		putBack();
		commands.outbox.remove(idOf(1));
		end('One.');
		await settled();

		expect(texts().slice(0, 3)).toEqual(['user: One?', 'assistant: One.', 'user: Two!']);
		expect(waiting()).toEqual([]);
		expect(backend.callsOf('startRun')).toHaveLength(2);
	});

	test('is not sent under the hands of who changes it', async () => {
		await commands.send('One?');
		await commands.send('Two?');
		commands.outbox.editing = idOf(0);
		end('One.');
		await settled();
		expect(waiting()).toEqual(['waiting: Two?']);

		commands.outbox.rewrite(idOf(0), 'Two!');
		await settled();
		expect(texts().at(-2)).toBe('user: Two!');
	});

	test('is held after an answer that went wrong, until the reader sends it', async () => {
		await commands.send('One?');
		await commands.send('Two?');
		backend.end(backend.lastRun, 'failed');
		await settled();
		expect(waiting()).toEqual(['waiting: Two?']);
		expect(commands.outbox.isHeld).toBe(true);

		await commands.outbox.retry(idOf(0));
		expect(texts().at(-2)).toBe('user: Two?');
	});

	test('in another tab goes after this one’s, not beside it', async () => {
		const other = await openTab();
		await commands.send('One?');
		backend.refusals.set('startRun', new Failure('run_active', { status: 409 }));
		other.store.run = null;
		await other.commands.send('Two?');
		expect(waiting(other.commands)).toEqual(['waiting: Two?']);

		end('One.');
		await settled();
		expect(texts()).toEqual(['user: One?', 'assistant: One.', 'user: Two?', 'assistant: ']);
	});
});

describe('two tabs', () => {
	test('that both keep a message send it once', async () => {
		await commands.send('One?');
		await commands.send('Two?');
		const other = await openTab();
		expect(waiting(other.commands)).toEqual(['waiting: Two?']);

		end('One.');
		await settled();
		other.commands.outbox.reload();

		expect(backend.chat('chat').messages).toHaveLength(4);
		expect(waiting()).toEqual([]);
		expect(waiting(other.commands)).toEqual([]);
	});
});

test('a wait doubles up to half a minute, and the server’s word counts more', () => {
	const busy = new Failure('storage_busy');
	expect([1, 2, 3, 9].map((tries) => retryAfterMs(busy, tries, 0))).toEqual([
		2_000, 4_000, 8_000, 30_000
	]);
	expect(retryAfterMs(new Failure('too_many_runs', { retryAfterS: 3 }), 5, 1)).toBe(3_500);
});
