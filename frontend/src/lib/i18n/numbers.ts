/** Owns how figures are written in the page's language. Does not choose words. */

import { locale, t } from './language.svelte';

const formats = new Map<string, Intl.NumberFormat>();

/** Made once for each way of writing: making one takes longer than all that is written with it in a message. */
function formatOf(language: string, options: Intl.NumberFormatOptions = {}): Intl.NumberFormat {
	const key = `${language} ${JSON.stringify(options)}`;
	let format = formats.get(key);
	if (!format) formats.set(key, (format = new Intl.NumberFormat(language, options)));
	return format;
}

export function formatCount(value: number): string {
	return formatOf(locale()).format(value);
}

/** 38 ms, 3.2 s, 2 min 5 s. */
export function formatDuration(ms: number): string {
	const unit = (name: 'ms' | 's' | 'min', value: number, digits = 0) =>
		t(`unit.${name}`, {
			value: formatOf(locale(), { maximumFractionDigits: digits }).format(value)
		});
	if (ms < 1_000) return unit('ms', Math.round(ms));
	if (ms < 60_000) return unit('s', ms / 1_000, 1);
	const seconds = Math.round(ms / 1_000);
	const rest = seconds % 60;
	const minutes = unit('min', Math.floor(seconds / 60));
	return rest ? `${minutes} ${unit('s', rest)}` : minutes;
}

const ENDINGS: Record<string, string> = { one: 'st', two: 'nd', few: 'rd' };
const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });

/** 3rd; in Chinese the bare number, which the sentence makes one of an order. */
export function formatPlace(place: number): string {
	if (locale() !== 'en') return formatCount(place);
	return `${formatCount(place)}${ENDINGS[ordinals.select(place)] ?? 'th'}`;
}

export function formatRate(perSecond: number): string {
	return formatOf(locale(), { maximumFractionDigits: perSecond < 10 ? 1 : 0 }).format(perSecond);
}

/** A part of a whole, from 0 to 1. */
export function formatShare(share: number): string {
	return formatOf(locale(), { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

/** 1.2K, 32K: where there is room for a few letters only. */
export function formatShort(value: number): string {
	return formatOf('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}
