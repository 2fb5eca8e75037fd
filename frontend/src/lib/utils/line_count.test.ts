import { expect, test } from 'vitest';
import { linesOf } from './line_count';

test.each([
	['', 1],
	['one', 1],
	['one\n\nthree', 3],
	['x'.repeat(91), 2],
	[`${'x'.repeat(180)}\nlast`, 3]
])('%j takes %d lines', (text, lines) => {
	expect(linesOf(text)).toBe(lines);
});
