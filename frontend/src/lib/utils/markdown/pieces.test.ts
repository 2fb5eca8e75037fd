import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CodePieces } from './pieces';
import { chunkings, prefixes } from './testing/documents';

// Time is not what these are about.
vi.setConfig({ testTimeout: 60_000 });

const line = fc.constantFrom(
	'',
	'  indented',
	'def f():',
	'"""',
	'# note',
	'/* a',
	'*/',
	'x'.repeat(200),
	'}'
);
const codes = fc.array(line, { maxLength: 400 }).map((lines) => lines.join('\n'));

function cut(pieces: CodePieces): string[] {
	return [...pieces.pieces, pieces.rest];
}

test('the pieces of a code are the code, and the same however it came', () => {
	fc.assert(
		fc.property(codes, chunkings, (code, lengths) => {
			const whole = new CodePieces();
			whole.update(code);
			const grown = new CodePieces();
			for (const prefix of prefixes(
				code,
				lengths.map((length) => length * 20)
			))
				grown.update(prefix);

			expect(cut(whole).join('')).toBe(code);
			expect(cut(grown)).toEqual(cut(whole));
		}),
		{ numRuns: 200 }
	);
});

test('a long code is cut, at lines that begin something', () => {
	const pieces = new CodePieces();
	pieces.update('def f():\n    return 1\n\n'.repeat(100));

	expect(pieces.pieces.length).toBeGreaterThan(5);
	for (const piece of pieces.pieces) expect(piece).toMatch(/^def f.*\n$/s);
});

test('a code that did not just grow is cut anew', () => {
	const pieces = new CodePieces();
	pieces.update('a\n'.repeat(200));
	pieces.update('other');

	expect(cut(pieces)).toEqual(['other']);
});
