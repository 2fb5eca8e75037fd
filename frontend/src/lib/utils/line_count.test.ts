import { expect, test } from 'vitest';
import { linesOf } from './line_count';

test.each([
	['', 1],
	['one', 1],
	['one\n\nthree', 3],
	['x'.repeat(91), 2],
	[`${'x'.repeat(180)}\nlast`, 3],
	['长'.repeat(45), 1],
	['长'.repeat(46), 2]
])('%j takes %d lines of 90 letters', (text, lines) => {
	expect(linesOf(text, 90)).toBe(lines);
});
