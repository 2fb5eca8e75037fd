/** Owns how figures are written in the page's language. Does not choose words. */

import { locale } from './language.svelte';

export function formatCount(value: number): string {
	return new Intl.NumberFormat(locale()).format(value);
}

/** 38 ms, 3.2 s, 2 min 5 s. */
export function formatDuration(ms: number): string {
	const unit = (value: number, unit: string, digits: number) =>
		new Intl.NumberFormat(locale(), {
			style: 'unit',
			unit,
			unitDisplay: 'short',
			maximumFractionDigits: digits
		}).format(value);
	if (ms < 1_000) return unit(Math.round(ms), 'millisecond', 0);
	if (ms < 60_000) return unit(ms / 1_000, 'second', 1);
	const seconds = Math.round(ms / 1_000);
	const rest = seconds % 60;
	const minutes = unit(Math.floor(seconds / 60), 'minute', 0);
	return rest ? `${minutes} ${unit(rest, 'second', 0)}` : minutes;
}

export function formatRate(perSecond: number): string {
	return new Intl.NumberFormat(locale(), {
		maximumFractionDigits: perSecond < 10 ? 1 : 0
	}).format(perSecond);
}

/** A part of a whole, from 0 to 1. */
export function formatShare(share: number): string {
	return new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 0 }).format(
		share
	);
}

/** 1.2K, 32K: where there is room for a few letters only. */
export function formatShort(value: number): string {
	return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(
		value
	);
}
