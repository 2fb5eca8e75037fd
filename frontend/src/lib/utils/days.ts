/**
 * Which group of a list by day a moment belongs to, in the reader's own time zone.
 * Knows no words; whoever shows the groups names them.
 */

/** `key` tells groups apart; `month` is its first day, for a month's group. */
export type DayGroup =
	{ key: 'today' | 'yesterday' | 'week' } | { key: `${number}-${number}`; month: Date };

const DAY_MS = 86_400_000;
const WEEK = 7;

/** Whole days from `then` to `now` by the calendar: 1 is yesterday, however few hours that is. */
function daysBetween(then: Date, now: Date): number {
	const midnight = (day: Date) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
	return Math.round((midnight(now) - midnight(then)) / DAY_MS);
}

export function dayGroup(then: Date, now: Date): DayGroup {
	const days = daysBetween(then, now);
	if (days <= 0) return { key: 'today' }; // a clock that is a little ahead included
	if (days === 1) return { key: 'yesterday' };
	if (days < WEEK) return { key: 'week' };
	const month = new Date(then.getFullYear(), then.getMonth(), 1);
	return { key: `${month.getFullYear()}-${month.getMonth()}`, month };
}
