import { describe, expect, test } from 'vitest';
import { dayGroup } from './days';

const NOW = new Date(2026, 10, 21, 0, 30); // half past midnight
const group = (...parts: [number, number, number, number?]) =>
	dayGroup(new Date(parts[0], parts[1], parts[2], parts[3] ?? 12), NOW).key;

describe('a moment belongs', () => {
	test.each([
		['today', group(2026, 10, 21, 0)],
		['today', group(2026, 10, 21, 9)],
		['yesterday', group(2026, 10, 20, 23)],
		['yesterday', group(2026, 10, 20, 0)],
		['week', group(2026, 10, 19)],
		['week', group(2026, 10, 15)],
		['2026-10', group(2026, 10, 14)],
		['2026-9', group(2026, 9, 31)],
		['2025-11', group(2025, 11, 31)]
	])('to %s', (expected, actual) => expect(actual).toBe(expected));

	test('to a day by the calendar, over a change of the clocks too', () => {
		for (let day = 1; day < 365; day++) {
			const noon = new Date(2026, 0, day, 12);
			expect(dayGroup(new Date(2026, 0, day - 1, 23, 59), noon).key).toBe('yesterday');
			expect(dayGroup(new Date(2026, 0, day, 0, 1), noon).key).toBe('today');
		}
	});
});
