/**
 * Cuts the text of a code block into pieces that are laid out and highlighted once each.
 * Highlights nothing. A cut depends on the text before it and one character after it, never on
 * what comes later; the pieces joined are the text.
 */

import { isGrowth } from './growth';

/** A piece ends at the first good place after so many lines, and at any line after the second. */
const SOON = 30;
const LATEST = 120;
/** The same in characters, for long lines. */
const SOON_LENGTH = 3000;
const LATEST_LENGTH = 12_000;

/** Strings and comments that reach over lines; while one is open a cut would confuse the colours. */
const MULTILINE = [/"""/g, /'''/g, /`/g];

export class CodePieces {
	readonly pieces: string[] = [];
	#text = '';
	/** Start of the open piece, and how far line ends were looked for. */
	#start = 0;
	#looked = 0;
	#lines = 0;

	/** Takes the text as it is now; starts anew if it did not just grow. */
	update(text: string): void {
		if (!isGrowth(text, this.#text)) this.#reset();
		this.#text = text;
		for (let end = text.indexOf('\n', this.#looked); end >= 0 && end + 1 < text.length;) {
			this.#looked = end + 1;
			this.#lines++;
			if (this.#mayCut(end)) this.#cut(end + 1);
			end = text.indexOf('\n', this.#looked);
		}
	}

	/** What follows the finished pieces. */
	get rest(): string {
		return this.#text.slice(this.#start);
	}

	#mayCut(end: number): boolean {
		const length = end - this.#start;
		if (this.#lines >= LATEST || length >= LATEST_LENGTH) return true;
		if (this.#lines < SOON && length < SOON_LENGTH) return false;
		if (!/[\p{L}@#<]/u.test(this.#text.charAt(end + 1))) return false;
		return !leavesOpen(this.#text.slice(this.#start, end));
	}

	#cut(at: number): void {
		this.pieces.push(this.#text.slice(this.#start, at));
		this.#start = at;
		this.#lines = 0;
	}

	#reset(): void {
		this.pieces.length = 0;
		this.#text = '';
		this.#start = this.#looked = this.#lines = 0;
	}
}

function leavesOpen(code: string): boolean {
	const odd = MULTILINE.some((mark) => (code.match(mark)?.length ?? 0) % 2 === 1);
	return (
		odd ||
		code.lastIndexOf('/*') > code.lastIndexOf('*/') ||
		code.lastIndexOf('<!--') > code.lastIndexOf('-->')
	);
}
