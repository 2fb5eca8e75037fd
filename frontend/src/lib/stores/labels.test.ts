import { beforeEach, describe, expect, test } from 'vitest';
import { aSummary } from '../../../tests/builders';
import type { ServerEvent } from '$lib/types/events';
import { Failure } from '$lib/types/failure';
import type { Labels } from '$lib/types/wire';
import { LabelsStore } from './labels.svelte';

interface Asked {
	answer: (labels: Labels) => void;
	fail: (error: unknown) => void;
}

let asked: Asked[];
let store: LabelsStore;

beforeEach(() => {
	asked = [];
	store = new LabelsStore({
		labels: () => new Promise((answer, fail) => asked.push({ answer, fail }))
	});
});

const these = (folders: string[], tags: string[] = []): Labels => {
	const counted = (names: string[]) => names.map((name) => ({ name, chats: 1 }));
	return { folders: counted(folders), tags: counted(tags) };
};
const filed = (folder: string | null, tags: string[] = [], temporary = false): ServerEvent => ({
	type: 'chat.changed',
	chat: aSummary({ id: 'chat', folder, tags, temporary })
});
async function known(folders: string[], tags: string[] = []) {
	const loading = store.load();
	asked.at(-1)?.answer(these(folders, tags));
	await loading;
}

describe('the folders and tags', () => {
	test('are asked for by nobody but who shows them', () => {
		store.handle(filed('Work'));

		expect(asked).toEqual([]);
	});

	test('are what the server says, by name as the reader sorts them', async () => {
		await known(['Zoo', 'apple', 'Äste'], ['b', 'a']);

		expect(store.folders).toEqual(['apple', 'Äste', 'Zoo']);
		expect(store.tags).toEqual(['a', 'b']);
	});

	test('go when nothing is filed under them any more', async () => {
		await known(['old', 'kept'], ['old']);
		await known(['kept']);

		expect(store.folders).toEqual(['kept']);
		expect(store.tags).toEqual([]);
	});

	test('hold at once what is filed, here or elsewhere, and each once', async () => {
		await known(['b'], ['x']);
		store.handle(filed('a', ['y', 'x']));
		store.handle(filed('b'));

		expect(store.folders).toEqual(['a', 'b']);
		expect(store.tags).toEqual(['x', 'y']);
	});

	test('of a temporary chat are not told', async () => {
		await known([]);
		store.handle(filed('secrets', ['secret'], true));

		expect([store.folders, store.tags]).toEqual([[], []]);
	});

	test('that came while the server was asked are not lost to its older answer', async () => {
		const loading = store.load();
		store.handle(filed('new', ['new']));
		asked[0]?.answer(these(['old']));
		await loading;

		expect([store.folders, store.tags]).toEqual([['new', 'old'], ['new']]);
		await known(['old']);
		expect([store.folders, store.tags]).toEqual([['old'], []]);
	});

	test('of the newest request win, whichever is answered first', async () => {
		const first = store.load();
		const second = store.load();
		store.handle(filed('new'));
		asked[1]?.answer(these(['second']));
		asked[0]?.answer(these(['first']));
		await Promise.all([first, second]);

		expect(store.folders).toEqual(['new', 'second']);
	});

	test('that are known stay while the server cannot be asked', async () => {
		await known(['Work']);
		const loading = store.load();
		asked.at(-1)?.fail(new Failure('offline'));
		await loading;

		expect(store.folders).toEqual(['Work']);
	});
});
