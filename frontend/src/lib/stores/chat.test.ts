import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aChat, aMessage } from '../../../tests/builders';
import { FakeBackend } from '../../../tests/fake_backend';
import { Failure } from '$lib/types/failure';
import type { KeyValueStore } from '$lib/utils/storage';
import { ChatStore } from './chat.svelte';
import { ChatCommands } from './commands.svelte';
import { ChatHistory } from './history.svelte';
import type { Scheduler } from './scheduler';
import { UnsentMessages } from './unsent.svelte';

/** A frame comes when the test says so. */
class HandScheduler implements Scheduler {
	#planned: (() => void) | null = null;
	soon(action: () => void) {
		this.#planned = action;
	}
	cancel() {
		this.#planned = null;
	}
	frame() {
		this.#planned?.();
		this.#planned = null;
	}
}

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
let frames: HandScheduler;
let storage: KeyValueStore;
let store: ChatStore;
let commands: ChatCommands;
let stores: ChatStore[];

function open(id = 'chat', phase: 'new' | 'loading' = 'loading') {
	const opened = new ChatStore(id, phase, backend.realtime, frames);
	stores.push(opened);
	return opened;
}
const commandsOf = (chat: ChatStore) =>
	new ChatCommands(chat, backend.api, new UnsentMessages(storage));
const settled = () => new Promise((done) => setTimeout(done));
const texts = (chat = store) => chat.path.map(({ role, content }) => `${role}: ${content}`);

beforeEach(async () => {
	backend = new FakeBackend();
	frames = new HandScheduler();
	storage = memoryStorage();
	stores = [];
	backend.put(aChat({ id: 'chat' }));
	backend.realtime.connect({
		connected: () => undefined,
		disconnected: () => undefined,
		event: (event) => stores.forEach((each) => each.handle(event))
	});
	store = open();
	commands = commandsOf(store);
	await store.join();
});
afterEach(() => stores.forEach((each) => each.leave()));

async function answered(question = 'Why?', answer = 'Because.') {
	await commands.send(question);
	backend.begin(backend.lastRun);
	backend.delta(backend.lastRun, answer);
	backend.end(backend.lastRun, 'completed');
}

describe('following a run', () => {
	test('deltas are shown on the next frame, the end at once', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		backend.delta(backend.lastRun, 'Be');
		backend.delta(backend.lastRun, 'cause');

		expect(store.run?.content).toBe('');
		frames.frame();
		expect(store.run?.content).toBe('Because');

		backend.end(backend.lastRun, 'completed', { content: 'Because.' });
		expect(store.run).toBeNull();
		expect(texts()).toEqual(['user: Why?', 'assistant: Because.']);
	});

	test('a chat opened in the middle of a run shows it whole and goes on', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		backend.think(backend.lastRun, 'Hm.');
		backend.delta(backend.lastRun, 'Be');

		const second = open();
		await second.join();
		expect(second.run).toMatchObject({ content: 'Be', reasoning: 'Hm.' });

		backend.delta(backend.lastRun, 'cause');
		backend.end(backend.lastRun, 'completed');
		expect(texts(second)).toEqual(['user: Why?', 'assistant: Because']);
	});

	test('a second tab sees the question and the answer without asking', async () => {
		const second = open();
		await second.join();

		await answered();

		expect(texts(second)).toEqual(['user: Why?', 'assistant: Because.']);
	});

	test('a lost event is asked for, exactly from where the tab is', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		const deliver = backend.wire;
		backend.wire = () => undefined;
		backend.delta(backend.lastRun, 'Be');
		backend.wire = deliver;
		backend.delta(backend.lastRun, 'cau');
		backend.delta(backend.lastRun, 'se');
		await settled();
		frames.frame();

		expect(store.run?.content).toBe('Because');
		expect(backend.callsOf('join').at(-1)).toEqual([
			{ chat_id: 'chat', run_id: backend.lastRun, after_seq: 1 }
		]);
	});

	test('events that come twice or in the wrong order change nothing', async () => {
		const deliver = backend.wire;
		let held: Parameters<typeof deliver>[0] | null = null;
		backend.wire = (event) => {
			if (event.type !== 'run.delta') return deliver(event);
			deliver(event);
			if (held) deliver(held);
			deliver(event);
			held = event;
		};

		await commands.send('Why?');
		backend.begin(backend.lastRun);
		for (const text of ['Be', 'cau', 'se']) backend.delta(backend.lastRun, text);
		await settled();
		frames.frame();

		expect(store.run?.content).toBe('Because');
	});

	test('after a loss of connection joining again is enough', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		backend.delta(backend.lastRun, 'Be');
		backend.goOffline();
		backend.delta(backend.lastRun, 'cause');
		backend.end(backend.lastRun, 'completed');

		backend.goOnline();
		await store.join();

		expect(store.run).toBeNull();
		expect(texts()).toEqual(['user: Why?', 'assistant: Because']);
	});

	test('events that arrive while a join is on its way are not lost', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		const joining = store.join();
		backend.delta(backend.lastRun, 'Be');
		backend.delta(backend.lastRun, 'cause');
		await joining;
		frames.frame();

		expect(store.run?.content).toBe('Because');
	});

	test('a late reply to the command does not bring back a run that has ended', async () => {
		await answered();
		const { run } = backend.runs.get(backend.lastRun) ?? {};
		const old = aMessage({ id: run?.message_id ?? '', role: 'assistant', updated_at: '2000' });

		store.accept({
			run: { ...structuredClone(run!), status: 'queued', ended_at: null },
			user_message: null,
			assistant_message: old
		});

		expect(store.run).toBeNull();
		expect(texts()).toEqual(['user: Why?', 'assistant: Because.']);
	});

	test('a chat that is not there says so', async () => {
		const missing = open('nowhere');
		await missing.join();

		expect(missing.phase).toBe('missing');
	});

	test('a chat that is deleted elsewhere says so', async () => {
		await backend.api.deleteChat('chat');

		expect(store.phase).toBe('deleted');
	});

	test('a chat that was deleted and brought back elsewhere is there again, with all that was in it', async () => {
		await answered();
		await backend.api.deleteChat('chat');
		expect(store.phase).toBe('deleted');

		await backend.api.restoreChat('chat');
		await settled();

		expect(store.phase).toBe('ready');
		expect(texts()).toEqual(['user: Why?', 'assistant: Because.']);
	});
});

describe('sending', () => {
	test('a message is shown at once and its ids are chosen here', async () => {
		const sending = commands.send('Why?');
		expect(commands.outbox.pending[0]).toMatchObject({ state: 'sending' });
		await sending;

		const [, body] = backend.callsOf('startRun')[0] as [string, Record<string, unknown>];
		expect(body).toMatchObject({ message: { content: 'Why?' }, options: { thinking: true } });
		expect(body.run_id).toMatch(/^[0-9a-f-]{14}7/);
		expect(store.path[0]?.id).toBe((body.message as { id: string }).id);
		expect(commands.outbox.pending).toEqual([]);
	});

	test('the first message makes the chat, with what was set before', async () => {
		const fresh = open('fresh', 'new');
		const freshCommands = commandsOf(fresh);
		await freshCommands.update({ temperature: 0.2 });
		await freshCommands.send('Hello');
		backend.delta(backend.lastRun, 'Hi');
		frames.frame();

		expect(backend.callsOf('createChat')).toEqual([[{ id: 'fresh', temperature: 0.2 }]]);
		expect(fresh.phase).toBe('ready');
		expect(fresh.run?.content).toBe('Hi');
		expect(texts(fresh)).toEqual(['user: Hello', 'assistant: ']);
	});
});

describe('versions', () => {
	test('an edited message is a sibling, and the old one can be shown again in all tabs', async () => {
		await answered('One?', 'One.');
		const second = open();
		await second.join();
		const [first] = store.path;
		await commands.edit(first!, 'Two?');
		backend.end(backend.lastRun, 'completed', { content: 'Two.' });

		expect(texts()).toEqual(['user: Two?', 'assistant: Two.']);
		expect(store.path[0]?.sibling_ids).toHaveLength(2);

		await commands.showBranch(first!.id);
		expect(texts()).toEqual(['user: One?', 'assistant: One.']);
		expect(texts(second)).toEqual(['user: One?', 'assistant: One.']);
		expect(store.path[0]?.sibling_ids).toHaveLength(2);
	});

	test('answering again adds a sibling answer to the same question', async () => {
		await answered('One?', 'One.');
		await commands.regenerate(store.path[1]!);
		backend.end(backend.lastRun, 'completed', { content: 'Uno.' });

		expect(texts()).toEqual(['user: One?', 'assistant: Uno.']);
		expect(store.path[1]?.sibling_ids).toHaveLength(2);
	});

	test('a message deleted elsewhere goes with all below it', async () => {
		await answered('One?', 'One.');
		const [first] = store.path;
		backend.emit({ type: 'message.deleted', chat_id: 'chat', message_id: first!.id });

		expect(texts()).toEqual([]);
	});
});

describe('stopping', () => {
	test('the text stays as it was seen and the server is told where that is', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		backend.delta(backend.lastRun, 'Be');
		frames.frame();
		const stopped = commands.stop();
		expect(store.run).toMatchObject({ phase: 'stopping', content: 'Be' });
		await stopped;

		expect(backend.callsOf('stopRun')).toEqual([[backend.lastRun, 2]]);
		expect(store.path[1]).toMatchObject({ status: 'stopped', content: 'Be' });
	});

	test('a stop that failed shows again what the run says', async () => {
		await commands.send('Why?');
		backend.begin(backend.lastRun);
		backend.refusals.set('stopRun', new Failure('internal_error', { status: 500 }));

		await expect(commands.stop()).rejects.toThrow(Failure);
		backend.delta(backend.lastRun, 'Because');
		await settled();
		frames.frame();

		expect(store.run).toMatchObject({ phase: 'streaming', content: 'Because' });
	});
});

describe('a long chat', () => {
	const TURNS = 320;
	let long: ChatStore;
	let history: ChatHistory;

	/** Turns of which the second has two versions; the older version is where the other branch begins. */
	const turns = () => [
		aMessage({ id: 'm0', content: '0' }),
		aMessage({
			...{ id: 'other', parent_id: 'm0', role: 'assistant' as const, content: 'other' },
			sibling_ids: ['other', 'm1']
		}),
		aMessage({ id: 'other leaf', parent_id: 'other', content: 'other leaf' }),
		...Array.from({ length: TURNS - 1 }, (_, at) =>
			aMessage({
				...{ id: `m${at + 1}`, parent_id: `m${at}`, content: `${at + 1}` },
				role: at % 2 ? ('user' as const) : ('assistant' as const),
				...(at === 0 ? { sibling_ids: ['other', 'm1'] } : {})
			})
		)
	];
	const shown = () => long.path.map(({ content }) => content);
	const newest = (count: number) =>
		Array.from({ length: count }, (_, at) => String(TURNS - count + at));

	beforeEach(async () => {
		const messages = turns();
		backend.put(aChat({ id: 'long', messages, active_leaf_id: `m${TURNS - 1}` }));
		long = open('long');
		history = new ChatHistory(long, backend.api);
		await long.join();
	});

	test('comes with its newest turns; earlier ones come by pages, up to the first', async () => {
		expect(shown()).toEqual(newest(50));

		await history.earlier();
		expect(shown()).toEqual(newest(150));

		while (history.hasEarlier) await history.earlier();
		expect(shown()).toEqual(newest(TURNS));
		expect(backend.callsOf('listMessages')).toHaveLength(3);
		expect(backend.callsOf('getChat')).toEqual([]);
	});

	test('keeps over a loss of connection what was here, and what came meanwhile', async () => {
		await history.earlier();
		const longCommands = commandsOf(long);
		backend.goOffline();
		backend.goOnline();
		await longCommands.send('New?');
		await long.join();

		expect(shown().slice(-152, -2)).toEqual(newest(150));
		expect(shown().slice(-2)).toEqual(['New?', '']);
	});

	test('a page that cannot be had is asked for by hand, or when the connection is back', async () => {
		backend.refusals.set('listMessages', new Failure('offline'));
		await expect(history.earlier()).rejects.toThrow(Failure);
		expect(history.isReady).toBe(false);

		history.retry();
		expect(history.isReady).toBe(true);
		await history.earlier();
		expect(shown()).toEqual(newest(150));
	});

	test('a message that is changed far above is no new one', async () => {
		await backend.api.updateMessage('long', 'm3', 'changed');

		expect(shown()).toEqual(newest(50));
		while (history.hasEarlier) await history.earlier();
		expect(shown()[3]).toBe('changed');
	});

	test('a message that is deleted far above takes all below with it', async () => {
		backend.chats.get('long')!.active_leaf_id = 'm4';
		await backend.api.deleteMessage('long', 'm5');
		await settled();

		expect(shown()).toEqual(['0', '1', '2', '3', '4']);
	});

	test('a branch that is not here is fetched when it is shown, here or in another tab', async () => {
		await commandsOf(long).showBranch('other');
		await settled();
		expect(shown()).toEqual(['0', 'other', 'other leaf']);

		await backend.api.updateChat('long', { active_leaf_id: 'm1' });
		await settled();
		expect(shown()).toEqual(newest(53));
	});

	test('a run on a branch that is not here changes nothing of the one that is', async () => {
		const started = await backend.api.startRun('long', { parent_id: 'other leaf' });
		await long.join();
		const leaf = started.assistant_message.id;
		await backend.api.updateChat('long', { active_leaf_id: `m${TURNS - 1}` });
		await settled();
		expect(shown().at(-1)).toBe(String(TURNS - 1));

		backend.delta(backend.lastRun, 'elsewhere');
		backend.end(backend.lastRun, 'completed');
		await settled();
		expect(shown().at(-1)).toBe(String(TURNS - 1));
		expect(long.path.some(({ id }) => id === leaf)).toBe(false);
	});

	test('all of it comes when what is missing is asked for', async () => {
		await history.below(`m${TURNS - 10}`);
		expect(backend.callsOf('getChat')).toEqual([]);

		await history.whole();
		expect(long.tree.size).toBe(TURNS + 2);
		await history.whole();
		expect(backend.callsOf('getChat')).toHaveLength(1);
	});
});
