/** Owns taking whole sentences off a growing text. Does not speak them. */

/** The end of a sentence: its mark and what follows it, or the end of a line. */
const END = /[.!?…](?=\s)|[。！？；]|\n/g;

export class Sentences {
	#taken: number;

	/** @param from characters that have been said already */
	constructor(from = 0) {
		this.#taken = from;
	}

	/** The sentences that have been finished since, as one piece where there are several. */
	take(text: string): string[] {
		if (text.length < this.#taken) this.#taken = text.length;
		const fresh = text.slice(this.#taken);
		let end = 0;
		for (const match of fresh.matchAll(END)) end = match.index + match[0].length;
		this.#taken += end;
		return spoken(fresh.slice(0, end));
	}

	/** Whatever is left at the end. */
	rest(text: string): string[] {
		const fresh = text.slice(this.#taken);
		this.#taken = text.length;
		return spoken(fresh);
	}
}

/** Without the marks of Markdown, which a voice would spell out. */
function spoken(text: string): string[] {
	const words = text
		.replace(/^\s*(#{1,6}|[-*+>]|```\w*|\|)\s?/gm, '')
		.replace(/[*_`|]+/g, ' ')
		.replace(/\s+/g, ' ')
		.trim();
	return words ? [words] : [];
}
