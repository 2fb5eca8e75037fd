import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { InlineRenderer } from './inline';
import { OpenSegment, segmentsOf } from './segments';
import { documents } from './testing/documents';

// Time is not what these are about.
vi.setConfig({ testTimeout: 60_000 });

const firstCut = (text: string) => new OpenSegment(0).end(text);
const long = documents.map((text) => text.repeat(12));

test('the segments of a text are the text', () => {
	fc.assert(
		fc.property(long, (text) => {
			expect(segmentsOf(text).join('')).toBe(text);
		})
	);
});

test('a cut does not depend on what comes later', () => {
	fc.assert(
		fc.property(long, fc.nat(), (text, length) => {
			const prefix = text.slice(0, length % (text.length + 1));
			const cut = firstCut(prefix);
			if (cut > 0) expect(firstCut(text)).toBe(cut);
			else expect(firstCut(text) > 0 && firstCut(text) < prefix.length - 1).toBe(false);
		}),
		{ numRuns: 500 }
	);
});

test('cutting changes nothing of what closes within a few thousand characters', () => {
	const phrase = fc.constantFrom(
		...[
			'plain words here, ',
			'**bold words** ',
			'*it* ',
			'`a * b` ',
			'[a (b)](https://a.example/x_y "t") '
		],
		...[
			'~~gone~~ ',
			'snake_case ',
			'<kbd>K</kbd> ',
			'2 * 3 ',
			'中文，**加粗**。',
			'https://a.example/a_b ',
			'\\* ',
			'![i](u) '
		],
		...['**bold *both* `c`** ', '<b>x **y** z</b> ', 'a<br>b ', 'word\n']
	);
	const renderer = new InlineRenderer({}, {});

	fc.assert(
		fc.property(fc.array(phrase, { minLength: 20, maxLength: 80 }), (phrases) => {
			const text = phrases.join('');
			const cut = segmentsOf(text).map((segment) => renderer.render(segment));
			expect(cut.length).toBeGreaterThan(0);
			expect(cut.join('')).toBe(renderer.render(text));
		}),
		{ numRuns: 500 }
	);
});

test('no segment is longer than what marked can take in a moment', () => {
	for (const text of ['**a**', '[', '*', 'x', '`', '<a '])
		for (const segment of segmentsOf(text.repeat(20_000)))
			expect(segment.length).toBeLessThanOrEqual(4600);
});
