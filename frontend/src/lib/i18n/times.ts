/** Owns how moments are written, in the page's language and the reader's time zone. Does not choose words. */

import { language, locale } from './language.svelte';

type Parts = 'time' | 'day' | 'year' | 'whole';

const CLOCK = { hour: 'numeric', minute: '2-digit' } as const;
const PARTS: Record<Parts, Intl.DateTimeFormatOptions> = {
	time: { timeStyle: 'short' },
	day: { month: 'short', day: 'numeric', ...CLOCK },
	year: { year: 'numeric', month: 'short', day: 'numeric', ...CLOCK },
	whole: { dateStyle: 'full', timeStyle: 'short' }
};
/** Making one costs more than using it a hundred times, and a long chat has thousands of moments. */
const made = new Map<string, Intl.DateTimeFormat>();

/** As it is written where the reader lives, as long as that is the page's language: 20:05 or 8:05 PM. */
function format(at: Date, parts: Parts): string {
	const key = `${language()} ${parts}`;
	let writer = made.get(key);
	if (!writer) {
		const own = navigator.languages.filter((tag) => tag.startsWith(language()));
		writer = new Intl.DateTimeFormat([...own, locale()], PARTS[parts]);
		made.set(key, writer);
	}
	return writer.format(at);
}

/** As short as it can be told on the day of `now`: the time alone, with its day, with its year. */
export function formatTime(at: Date, now: Date): string {
	if (at.getFullYear() !== now.getFullYear()) return format(at, 'year');
	const isToday = at.getMonth() === now.getMonth() && at.getDate() === now.getDate();
	return format(at, isToday ? 'time' : 'day');
}

/** The moment in full, with its day of the week. */
export function formatMoment(at: Date): string {
	return format(at, 'whole');
}
