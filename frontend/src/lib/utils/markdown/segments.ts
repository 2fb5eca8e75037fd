/**
 * Where a long run of inline text is cut into segments that are rendered once each.
 * Renders nothing. A cut depends on the text before it and on one character after it, never on
 * what comes later, so a text that streams in is cut exactly as the same text at once.
 */

/** Shortest segment, in characters: each costs one call of the inline lexer and of the sanitiser. */
const SEGMENT = 120;
/** Emphasis, links and code that span more than this are shown as they were written. */
const LONGEST = 2000;

/** A run of delimiters longer than this is read as several. */
const LONGEST_RUN = 500;

const VOID_TAG = /^(?:br|hr|img|wbr|input|col|area|embed|source|track)$/i;
const TAG = /^<(\/?)([A-Za-z][A-Za-z0-9-]*)[^>]*?(\/?)>$/;
const WORD = /[\p{L}\p{N}]/u;
const SPACE = /\s/;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const CJK_STOP = /[、。，！？；：）」』】》…]/;

/** All segments of a text that is whole. */
export function segmentsOf(text: string, from = 0): string[] {
	const segments: string[] = [];
	let start = from;
	for (let cut = cutAfter(text, start); cut > 0; cut = cutAfter(text, start)) {
		segments.push(text.slice(start, cut));
		start = cut;
	}
	if (start < text.length) segments.push(text.slice(start));
	return segments;
}

function cutAfter(text: string, from: number): number {
	return new OpenSegment(from).end(text);
}

/** The segment that begins at `from`, in a text that grows: each character is looked at once. */
export class OpenSegment {
	readonly #scan = new Scan();
	#at: number;

	constructor(readonly from: number) {
		this.#at = from;
	}

	/** Offset at which it ends, or -1 if no end can be told from the text so far. */
	end(text: string): number {
		while (this.#at + 1 < text.length) {
			const at = this.#at;
			if (this.#isEnd(text, at)) return at + 1;
			const step = this.#scan.read(text, at);
			if (step === 0) return -1;
			this.#at += step;
		}
		return -1;
	}

	#isEnd(text: string, at: number): boolean {
		const length = at - this.from;
		if (length < SEGMENT) return false;
		if (length >= 2 * LONGEST) return !isLowSurrogate(text, at + 1);
		return isBreak(text, at) && (length >= LONGEST || this.#scan.neutral);
	}
}

/** Between two words: nothing that begins after the cut looks back over it. */
function isBreak(text: string, at: number): boolean {
	const next = text.charAt(at + 1);
	const char = text.charAt(at);
	if (char === ' ') return !SPACE.test(next) && !SPACE.test(text.charAt(at - 1));
	return CJK_STOP.test(char) && next > '\u2e7f' && WORD.test(next);
}

function isLowSurrogate(text: string, at: number): boolean {
	return /[\udc00-\udfff]/.test(text.charAt(at));
}

/** What is open at a point of the text, as far as a reading from left to right can know. */
class Scan {
	/** Backticks of the open code span. */
	#code = 0;
	#brackets = 0;
	/** Parentheses of the open link target. */
	#target = 0;
	#afterBracket = false;
	/** Whether a formula is open: by a dollar, which the end of the line closes, or by a bracket. */
	#dollar = false;
	#formula = false;
	#tags = 0;
	/** Start of an open `<…`. */
	#angle = -1;
	readonly #emphasis: Record<string, number> = { '*': 0, _: 0, '~': 0 };

	get neutral(): boolean {
		return (
			!this.#dollar &&
			!this.#formula &&
			this.#code + this.#brackets + this.#target + this.#tags === 0 &&
			this.#angle < 0 &&
			Object.values(this.#emphasis).every((open) => open === 0)
		);
	}

	/** Reads on from `at`; returns how far, 0 if more text is needed to tell. */
	read(text: string, at: number): number {
		const char = text.charAt(at);
		if (char === '`') return this.#readBackticks(text, at);
		if (this.#code > 0) return 1;
		if (char === '\\') return this.#readEscape(text, at);
		if (char === '$' || char === '\n') this.#readDollar(char, text.charAt(at + 1));
		if (this.#dollar || this.#formula) return 1;
		if (this.#angle >= 0) return this.#readAngle(text, at);
		if (char in this.#emphasis) return this.#readEmphasis(text, at);
		if (char === '<' && /[A-Za-z/!?]/.test(text.charAt(at + 1))) this.#angle = at;
		else this.#readBracket(char, text.charAt(at + 1));
		return 1;
	}

	#readBackticks(text: string, at: number): number {
		const length = runLength(text, at);
		if (at + length >= text.length && length < LONGEST_RUN) return 0;
		if (this.#code === 0) this.#code = length;
		else if (this.#code === length) this.#code = 0;
		return length;
	}

	/** A bracket that is escaped begins or ends a formula. */
	#readEscape(text: string, at: number): number {
		const next = text.charAt(at + 1);
		if (next === '(' || next === '[') this.#formula = true;
		if (next === ')' || next === ']') this.#formula = false;
		return 2;
	}

	#readDollar(char: string, next: string): void {
		this.#dollar = char === '$' && !this.#dollar && !SPACE.test(next);
	}

	#readAngle(text: string, at: number): number {
		if (text.charAt(at) !== '>') return 1;
		const tag = TAG.exec(text.slice(this.#angle, at + 1));
		this.#angle = -1;
		if (!tag || tag[3] || VOID_TAG.test(tag[2] ?? '')) return 1;
		this.#tags = Math.max(0, this.#tags + (tag[1] ? -1 : 1));
		return 1;
	}

	#readBracket(char: string, next: string): void {
		if (this.#target > 0) {
			if (char === '(') this.#target++;
			else if (char === ')') this.#target--;
		} else if (char === '[') {
			this.#brackets++;
		} else if (char === ']') {
			this.#brackets = Math.max(0, this.#brackets - 1);
			this.#afterBracket = next === '(';
		} else if (char === '(' && this.#afterBracket) {
			this.#target = 1;
			this.#afterBracket = false;
		}
	}

	#readEmphasis(text: string, at: number): number {
		const char = text.charAt(at);
		const length = runLength(text, at);
		if (at + length >= text.length && length < LONGEST_RUN) return 0;
		const before = text.charAt(at - 1) || ' ';
		const after = text.charAt(at + length);
		const opens = canOpen(before, after, char);
		const closes = canOpen(after, before, char);
		const open = this.#emphasis[char] ?? 0;
		if (closes && open > 0) this.#emphasis[char] = Math.max(0, open - length);
		else if (opens) this.#emphasis[char] = open + length;
		return length;
	}
}

function runLength(text: string, at: number): number {
	let end = at + 1;
	while (text[end] === text[at] && end - at < LONGEST_RUN) end++;
	return end - at;
}

/** Whether a delimiter run can open; with its sides swapped: whether it can close. */
function canOpen(before: string, after: string, char: string): boolean {
	if (SPACE.test(after)) return false;
	if (char === '_' && WORD.test(before)) return false;
	return !PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before);
}
