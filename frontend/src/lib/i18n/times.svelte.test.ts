import { afterEach, expect, test } from 'vitest';
import { formatMoment, formatTime, setLanguage } from './index';

afterEach(() => setLanguage('en'));

/** What `Intl` puts between a time and its half of the day differs by version. */
const plain = (text: string) => text.replaceAll(/\s/g, ' ');

test('a moment is told as shortly as the day it is told on allows, and in full', () => {
	const now = new Date(2026, 10, 18, 10, 0);
	const told = (at: Date) => plain(formatTime(at, now));

	expect(told(new Date(2026, 10, 18, 8, 5))).toBe('8:05 AM');
	expect(told(new Date(2026, 10, 17, 20, 5))).toBe('Nov 17, 8:05 PM');
	expect(told(new Date(2025, 10, 18, 8, 5))).toBe('Nov 18, 2025, 8:05 AM');
	expect(plain(formatMoment(new Date(2026, 10, 18, 8, 5)))).toBe(
		'Wednesday, November 18, 2026 at 8:05 AM'
	);

	setLanguage('zh');
	expect(told(new Date(2026, 10, 18, 8, 5))).toBe('08:05');
	expect(told(new Date(2026, 10, 17, 20, 5))).toBe('11月17日 20:05');
	expect(told(new Date(2025, 10, 18, 8, 5))).toBe('2025年11月18日 8:05');
	expect(plain(formatMoment(new Date(2026, 10, 18, 8, 5)))).toBe('2026年11月18日星期三 08:05');
});
