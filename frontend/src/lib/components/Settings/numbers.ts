/** Owns reading the numbers of the settings form. Empty is null: the default; unreadable is undefined. */

export function parseTemperature(text: string): number | null | undefined {
	if (!text.trim()) return null;
	const value = Number(text.trim().replace(',', '.'));
	return value >= 0 && value <= 2 ? value : undefined;
}

export function parseLimit(text: string): number | null | undefined {
	if (!text.trim()) return null;
	const value = Number(text.trim());
	return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}
