import { describe, expect, test } from 'vitest';
import { windowful } from './windowful';

const turns = (count: number, length: number) =>
	Array.from({ length: count }, () => ({ content: 'x'.repeat(length) }));

describe('the turns that are drawn first', () => {
	test.each([
		['one-liners fill a window late', turns(500, 20), 16],
		['answers as models write them fill it soon', turns(500, 1000), 5],
		['two are drawn however long the last one is', turns(500, 50_000), 2],
		['the last one counts, not the first', [...turns(5, 50_000), ...turns(20, 20)], 16],
		['there may be fewer', turns(3, 20), 3],
		['there may be none', [], 0]
	])('%s', (_, path, expected) => {
		expect(windowful(path)).toBe(expected);
	});
});
