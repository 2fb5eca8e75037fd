import { describe, expect, test } from 'vitest';
import { MarkdownDocument } from './document';
import { noteNumber } from './notes';
import type { BlockView, NotesView } from './views';

function finish(document: MarkdownDocument, text: string): readonly BlockView[] {
	document.update(text, true);
	while (!document.settle(100)) document.view();
	return document.view();
}

const atOnce = (text: string) => finish(new MarkdownDocument(), text);

function streamed(text: string): readonly BlockView[] {
	const document = new MarkdownDocument();
	for (let end = 1; end < text.length; end++) {
		document.update(text.slice(0, end), false);
		document.view();
	}
	return finish(document, text);
}

const first = (blocks: readonly BlockView[]) => {
	const [block] = blocks;
	return block?.kind === 'text' ? block.inline.segments.join('') + block.inline.tail : '';
};
const notesOf = (blocks: readonly BlockView[]) =>
	blocks
		.filter((block): block is NotesView => block.kind === 'notes')
		.flatMap(({ notes }) => notes);

const TEXT =
	'One[^1], two[^two].\n\n[^1]: The first.\n[^two]: The *second*\n\n    goes on.\n\nAfter.\n';

describe.each([
	['at once', atOnce],
	['streamed', streamed]
])('footnotes, %s', (_name, shown) => {
	test('are numbered, stand at the end, and are referred to by their numbers', () => {
		const blocks = shown(TEXT);

		expect(first(blocks)).toBe(
			'One<sup><a href="#note-1">1</a></sup>, two<sup><a href="#note-2">2</a></sup>.'
		);
		expect(blocks.map(({ kind }) => kind)).toEqual(['text', 'text', 'notes']);
		expect(notesOf(blocks).map(({ number }) => number)).toEqual([1, 2]);
		expect(notesOf(blocks)[1]?.children).toHaveLength(2);
	});

	test('that do not exist are text', () => {
		expect(first(shown('No[^1] note.\n'))).toBe('No[^1] note.');
	});

	test('of a label that has one already are dropped, the first one counts', () => {
		expect(notesOf(shown('a[^1]\n\n[^1]: x\n[^1]: y\n'))).toHaveLength(1);
	});

	test('are not taken for links', () => {
		expect(first(shown('See[^1].\n\n[^1]: https://x.example\n'))).toContain('#note-1');
	});
});

test('the number of a footnote is read from its link alone', () => {
	expect(noteNumber('#note-12')).toBe(12);
	expect(['#note-', '#note-1"]', 'https://x.example/#note-1'].map(noteNumber)).toEqual([0, 0, 0]);
});
