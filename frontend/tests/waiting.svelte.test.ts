/** Messages that wait in chats which are not open: sent by themselves, in order, once, by one tab. */

import { expect, test, vi } from 'vitest';
import { page } from 'vitest/browser';
import { AppStore } from '../src/lib/stores/app.svelte';
import { Failure } from '../src/lib/types/failure';
import { browserStorage } from '../src/lib/utils/storage';
import { browserLocks } from '../src/lib/utils/tab_locks';
import { aChat } from './builders';
import { FakeBackend } from './fake_backend';
import { openPage } from './page';

let number = 0;
/** Locks are the browser's: no two tests may use a chat's id. */
const anId = () => `waiting-${Date.now()}-${number++}`;

function withChats(count: number) {
	const backend = new FakeBackend();
	const ids = Array.from({ length: count }, () => anId());
	ids.forEach((id, index) => backend.put(aChat({ id, title: `Chat ${index}` })));
	return { backend, ids };
}

const said = (backend: FakeBackend, id: string) =>
	backend.chat(id).messages.flatMap(({ role, content }) => (role === 'user' ? [content] : []));
const markOf = (id: string) =>
	document.querySelector(`[data-chat-id="${id}"] [data-testid="unsent-mark"]`);
const kept = () => Object.keys(localStorage).filter((key) => key.includes('unsent.'));

/** Writes into a chat without a connection, and leaves for a new one. */
async function writeOffline(
	{ app, backend }: Awaited<ReturnType<typeof openPage>>,
	id: string,
	texts: string[]
) {
	backend.goOffline();
	app.show(id);
	for (const text of texts) await app.open!.commands.send(text);
	app.show(null);
}

test('they go out when the connection is back, in order, and each chat says so until then', async () => {
	const { backend, ids } = withChats(3);
	const opened = await openPage({ backend });
	await expect.element(page.getByText('Chat 0')).toBeVisible();
	await writeOffline(opened, ids[0]!, ['One?', 'Two?']);
	await writeOffline(opened, ids[1]!, ['Other?']);
	await vi.waitUntil(() => markOf(ids[0]!) && markOf(ids[1]!), { timeout: 10_000 });
	expect(markOf(ids[0]!)!.getAttribute('aria-label')).toBe('A message waits to be sent');
	expect(markOf(ids[2]!)).toBeNull();
	expect(kept()).toHaveLength(2);

	backend.goOnline();
	await vi.waitUntil(() => backend.runs.size === 2, { timeout: 10_000 });
	expect(said(backend, ids[0]!)).toEqual(['One?']);
	expect(said(backend, ids[1]!)).toEqual(['Other?']);
	const runOf = (id: string) => [...backend.runs.values()].find(({ run }) => run.chat_id === id)!;
	backend.end(runOf(ids[0]!).run.id, 'completed');
	await vi.waitUntil(() => backend.runs.size === 3, { timeout: 10_000 });

	expect(said(backend, ids[0]!)).toEqual(['One?', 'Two?']);
	await vi.waitUntil(() => kept().length === 0 && !markOf(ids[0]!) && !markOf(ids[1]!), {
		timeout: 10_000
	});
	expect(opened.app.open!.store.phase).toBe('new');
});

test('they go out when the page is opened, also a chat that is not on the server yet', async () => {
	const { backend, ids } = withChats(1);
	const first = await openPage({ backend });
	await writeOffline(first, ids[0]!, ['Here?']);
	first.app.show(null);
	const unmade = first.app.open!.store.id;
	await first.app.open!.commands.send('Unmade?');
	first.stop();
	first.screen.unmount();

	const again = await openPage({ backend, isReload: true, realtime: backend.tab() });
	backend.goOnline();
	await vi.waitUntil(() => backend.runs.size === 2, { timeout: 10_000 });

	expect(said(backend, ids[0]!)).toEqual(['Here?']);
	expect(said(backend, unmade)).toEqual(['Unmade?']);
	await vi.waitUntil(() => kept().length === 0, { timeout: 10_000 });
	expect(again.app.open!.store.id).not.toBe(unmade);
});

test('over the limit they wait as long as the server says, and are the same request then', async () => {
	const { backend, ids } = withChats(1);
	const opened = await openPage({ backend });
	await writeOffline(opened, ids[0]!, ['One?']);
	backend.refusals.set('startRun', new Failure('too_many_runs', { status: 429, retryAfterS: 1 }));
	const asked = () => backend.callsOf('startRun');

	backend.goOnline();
	await vi.waitUntil(() => asked().length === 1, { timeout: 10_000 });
	const refusedAt = performance.now();
	await vi.waitUntil(() => asked().length === 2, { timeout: 20_000 });

	expect(performance.now() - refusedAt).toBeGreaterThan(900);
	expect(asked()[1]).toEqual(asked()[0]);
	expect(said(backend, ids[0]!)).toEqual(['One?']);
});

test('a chat that is opened meanwhile goes on where it was', async () => {
	const { backend, ids } = withChats(1);
	const opened = await openPage({ backend });
	await writeOffline(opened, ids[0]!, ['One?', 'Two?']);
	opened.app.show(ids[0]!);
	expect(opened.app.open!.commands.outbox.pending).toHaveLength(2);

	backend.goOnline();
	await vi.waitUntil(() => backend.runs.size === 1, { timeout: 10_000 });
	await expect.element(page.getByText('One?')).toBeVisible();
	opened.app.show(null);
	backend.end(backend.lastRun, 'completed');
	await vi.waitUntil(() => backend.runs.size === 2, { timeout: 10_000 });

	expect(said(backend, ids[0]!)).toEqual(['One?', 'Two?']);
});

test('after an answer that went wrong they wait for their writer', async () => {
	const { backend, ids } = withChats(1);
	const opened = await openPage({ backend, chatId: ids[0]! });
	await vi.waitUntil(() => opened.app.open!.store.phase === 'ready');
	await opened.app.open!.commands.send('One?');
	await opened.app.open!.commands.send('Two?');
	opened.app.show(null);
	backend.end(backend.lastRun, 'failed');
	backend.goOffline();
	backend.goOnline();
	await vi.waitUntil(() => backend.callsOf('join').length >= 2);
	await vi.waitUntil(() => markOf(ids[0]!), { timeout: 10_000 });

	expect(said(backend, ids[0]!)).toEqual(['One?']);
});

test('of two tabs one sends them, and the other shows the same', async () => {
	const { backend, ids } = withChats(1);
	const opened = await openPage({ backend });
	await writeOffline(opened, ids[0]!, ['One?', 'Two?']);
	const other = new AppStore({
		api: backend.api,
		realtime: backend.tab(),
		storage: browserStorage(),
		locks: browserLocks()
	});
	const stop = other.start();
	other.show(ids[0]!);
	expect(other.open!.commands.outbox.pending).toHaveLength(2);
	// A storage event comes from another tab only: here both are one page.
	const tell = () => dispatchEvent(new StorageEvent('storage'));

	backend.goOnline();
	await vi.waitUntil(() => backend.runs.size === 1, { timeout: 10_000 });
	tell();
	backend.end(backend.lastRun, 'completed');
	await vi.waitUntil(() => backend.runs.size === 2, { timeout: 10_000 });
	backend.end(backend.lastRun, 'completed');
	tell();
	await vi.waitUntil(() => kept().length === 0, { timeout: 10_000 });

	expect(said(backend, ids[0]!)).toEqual(['One?', 'Two?']);
	const runs = backend.callsOf('startRun').map(([, body]) => (body as { run_id: string }).run_id);
	expect(new Set(runs).size).toBe(2);
	const shown = other.open!.store.path.filter(({ role }) => role === 'user');
	expect(shown.map(({ content }) => content)).toEqual(['One?', 'Two?']);
	expect(other.open!.commands.outbox.pending).toEqual([]);
	expect(opened.app.hasUnsent(ids[0]!)).toBe(false);
	stop();
});

test('a tab does not take up what another has', async () => {
	const { backend, ids } = withChats(1);
	const opened = await openPage({ backend, chatId: ids[0]! });
	await vi.waitUntil(() => opened.app.open!.store.phase === 'ready');
	await opened.app.open!.commands.send('One?');
	await opened.app.open!.commands.send('Two?');
	opened.app.open!.commands.outbox.editing =
		opened.app.open!.commands.outbox.pending[0]!.unsent.request.message.id;
	const other = new AppStore({
		api: backend.api,
		realtime: backend.tab(),
		storage: browserStorage(),
		locks: browserLocks()
	});
	const joins = backend.callsOf('join').length;
	const stop = other.start();
	backend.end(backend.lastRun, 'completed');
	await vi.waitUntil(async () =>
		(await navigator.locks.query()).pending?.some(({ name }) => name?.endsWith(ids[0]!))
	);

	expect(backend.callsOf('join')).toHaveLength(joins);
	expect(said(backend, ids[0]!)).toEqual(['One?']);
	opened.stop();
	await vi.waitUntil(() => said(backend, ids[0]!).length === 2, { timeout: 10_000 });
	stop();
});

test('what waits in a chat that is gone is not tried for ever', async () => {
	const { backend, ids } = withChats(1);
	const opened = await openPage({ backend });
	await writeOffline(opened, ids[0]!, ['One?']);
	backend.chats.delete(ids[0]!);

	backend.goOnline();
	await vi.waitUntil(() => backend.callsOf('join').length >= 1);
	backend.goOffline();
	backend.goOnline();

	expect(backend.callsOf('startRun')).toEqual([]);
	expect(kept()).toHaveLength(1);
});
