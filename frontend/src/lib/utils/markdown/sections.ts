/**
 * Cuts a growing list of parts into sections of a fixed length. A section none of whose parts has
 * changed is the same object again, so that drawing a long list costs only what is new in it.
 * Does not know what the parts are.
 */

/** Long enough that few are looked at, short enough that few parts are drawn out of sight. */
const LENGTH = 24;

export interface Section<Part> {
	readonly key: number;
	readonly parts: readonly Part[];
	/** Nothing will be added, and no part will change. */
	readonly done: boolean;
}

export class Sections<Part extends { readonly done: boolean }> {
	#last: readonly Section<Part>[] = [];

	/** `isWhole`: no part will come after the last one. */
	of(parts: readonly Part[], isWhole: boolean): readonly Section<Part>[] {
		const count = Math.ceil(parts.length / LENGTH);
		this.#last = Array.from({ length: count }, (_, key) => this.#section(parts, key, isWhole));
		return this.#last;
	}

	#section(parts: readonly Part[], key: number, isWhole: boolean): Section<Part> {
		const start = key * LENGTH;
		const end = Math.min(start + LENGTH, parts.length);
		const closed = isWhole || end < parts.length;
		const before = this.#last[key];
		if (before && before.parts.length === end - start) {
			const isSame = before.parts.every((part, at) => part === parts[start + at]);
			if (isSame && (before.done || !closed)) return before;
		}
		const mine = parts.slice(start, end);
		return { key, parts: mine, done: closed && mine.every(({ done }) => done) };
	}
}
