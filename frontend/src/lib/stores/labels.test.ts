import { beforeEach, describe, expect, test } from 'vitest';
import { aSummary } from '../../../tests/builders';
import type { ServerEvent } from '$lib/types/events';
import { Failure } from '$lib/types/failure';
import type { Labels } from '$lib/types/wire';
import { LabelsStore, type KnownLabel } from './labels.svelte';

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
	const counted = (names: string[]) => names.map((name) => ({ name, chats: 1, archived: 0 }));
	return { folders: counted(folders), tags: counted(tags) };
};
const filed = (
	folder: string | null,
	tags: string[] = [],
	temporary = false,
	archived = false
): ServerEvent => ({
	type: 'chat.changed',
	chat: aSummary({ id: 'chat', folder, tags, temporary, archived })
});
const names = (labels: readonly KnownLabel[]) => labels.map(({ name }) => name);
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

		expect(names(store.folders)).toEqual(['apple', 'Äste', 'Zoo']);
		expect(names(store.tags)).toEqual(['a', 'b']);
	});

	test('go when nothing is filed under them any more', async () => {
		await known(['old', 'kept'], ['old']);
		await known(['kept']);

		expect(names(store.folders)).toEqual(['kept']);
		expect(names(store.tags)).toEqual([]);
	});

	test('hold at once what is filed, here or elsewhere, and each once', async () => {
		await known(['b'], ['x']);
		store.handle(filed('a', ['y', 'x']));
		store.handle(filed('b'));

		expect(names(store.folders)).toEqual(['a', 'b']);
		expect(names(store.tags)).toEqual(['x', 'y']);
	});

	test('of a temporary chat are not told', async () => {
		await known([]);
		store.handle(filed('secrets', ['secret'], true));

		expect([names(store.folders), names(store.tags)]).toEqual([[], []]);
	});

	test('that came while the server was asked are not lost to its older answer', async () => {
		const loading = store.load();
		store.handle(filed('new', ['new']));
		asked[0]?.answer(these(['old']));
		await loading;

		expect([names(store.folders), names(store.tags)]).toEqual([['new', 'old'], ['new']]);
		await known(['old']);
		expect([names(store.folders), names(store.tags)]).toEqual([['old'], []]);
	});

	test('of the newest request win, whichever is answered first', async () => {
		const first = store.load();
		const second = store.load();
		store.handle(filed('new'));
		asked[1]?.answer(these(['second']));
		asked[0]?.answer(these(['first']));
		await Promise.all([first, second]);

		expect(names(store.folders)).toEqual(['new', 'second']);
	});

	test('whose chats are all archived are known, and have nothing to list', async () => {
		const loading = store.load();
		const label = (name: string, chats: number, archived: number) => ({ name, chats, archived });
		asked.at(-1)?.answer({ folders: [label('both', 2, 1), label('past', 2, 2)], tags: [] });
		await loading;
		store.handle(filed('later', ['t'], false, true));
		store.handle(filed('both', [], false, true));
		expect(store.folders).toEqual([
			{ name: 'both', isListed: true },
			{ name: 'later', isListed: false },
			{ name: 'past', isListed: false }
		]);
		expect(store.tags).toEqual([{ name: 't', isListed: false }]);

		store.handle(filed('past', ['t']));

		expect(store.folders.at(-1)).toEqual({ name: 'past', isListed: true });
		expect(store.tags).toEqual([{ name: 't', isListed: true }]);
	});

	test('that are known stay while the server cannot be asked', async () => {
		await known(['Work']);
		const loading = store.load();
		asked.at(-1)?.fail(new Failure('offline'));
		await loading;

		expect(names(store.folders)).toEqual(['Work']);
	});
});
