/** Owns the ranges of the numbers in the settings form, and reading them. */

interface Range {
	min: number;
	max: number;
	isWhole?: boolean;
	/** The lowest value itself is not allowed. */
	isOpen?: boolean;
}

export const RANGES = {
	temperature: { min: 0, max: 2 },
	max_tokens: { min: 1, max: Number.MAX_SAFE_INTEGER, isWhole: true },
	top_p: { min: 0, max: 1, isOpen: true },
	top_k: { min: -1, max: 1_000_000, isWhole: true },
	min_p: { min: 0, max: 1 },
	presence_penalty: { min: -2, max: 2 },
	frequency_penalty: { min: -2, max: 2 },
	repetition_penalty: { min: 0, max: 10, isOpen: true },
	seed: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, isWhole: true },
	thinking_budget: { min: 0, max: 1_000_000, isWhole: true }
} as const satisfies Record<string, Range>;

export type NumberName = keyof typeof RANGES;

/** Empty is null, the default; what is unreadable or out of range is undefined. */
export function readNumber(name: NumberName, text: string): number | null | undefined {
	if (!text.trim()) return null;
	const value = Number(text.trim().replace(',', '.'));
	const range: Range = RANGES[name];
	const isAbove = range.isOpen ? value > range.min : value >= range.min;
	const isRight = isAbove && value <= range.max && (!range.isWhole || Number.isSafeInteger(value));
	return isRight ? value : undefined;
}
