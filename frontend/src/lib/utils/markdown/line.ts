/**
 * A cursor over one line that counts columns, where a tab reaches to the next multiple of four.
 * Knows nothing of blocks.
 */
const TAB = 4;
/** Columns that make a line an indented code block. */
const CODE_INDENT = 4;

export class Line {
	offset = 0;
	column = 0;
	/** Offset and column of the first character from here that is neither space nor tab. */
	next = 0;
	nextColumn = 0;
	#insideTab = false;

	constructor(
		readonly text: string,
		readonly number: number
	) {
		this.#scan();
	}

	get indent(): number {
		return this.nextColumn - this.column;
	}

	get indented(): boolean {
		return this.indent >= CODE_INDENT;
	}

	get blank(): boolean {
		return this.next >= this.text.length;
	}

	/** The character after the indent. */
	get char(): string {
		return this.text.charAt(this.next);
	}

	/** What follows the indent. */
	get content(): string {
		return this.text.slice(this.next);
	}

	/** What follows the cursor; the rest of a half-used tab as spaces. */
	get rest(): string {
		if (!this.#insideTab) return this.text.slice(this.offset);
		return ' '.repeat(TAB - (this.column % TAB)) + this.text.slice(this.offset + 1);
	}

	skipIndent(): void {
		this.offset = this.next;
		this.column = this.nextColumn;
		this.#insideTab = false;
	}

	skipToEnd(): void {
		this.advance(this.text.length - this.offset);
	}

	/** Goes on by characters; a tab counts as one. */
	advance(characters: number): void {
		for (let left = characters; left > 0 && this.offset < this.text.length; left--) {
			this.column += this.text[this.offset] === '\t' ? TAB - (this.column % TAB) : 1;
			this.offset++;
			this.#insideTab = false;
		}
		this.#scan();
	}

	/** Goes on by columns of white space; a tab may be used in part. */
	advanceColumns(columns: number): void {
		for (let left = columns; left > 0 && this.offset < this.text.length;) {
			const width = this.text[this.offset] === '\t' ? TAB - (this.column % TAB) : 1;
			const step = Math.min(left, width);
			this.#insideTab = step < width;
			this.column += step;
			if (!this.#insideTab) this.offset++;
			left -= step;
		}
		this.#scan();
	}

	atSpace(): boolean {
		const char = this.text[this.offset];
		return char === ' ' || char === '\t';
	}

	#scan(): void {
		let column = this.column;
		let at = this.offset;
		for (; at < this.text.length; at++) {
			if (this.text[at] === ' ') column++;
			else if (this.text[at] === '\t') column += TAB - (column % TAB);
			else break;
		}
		this.next = at;
		this.nextColumn = column;
	}
}
