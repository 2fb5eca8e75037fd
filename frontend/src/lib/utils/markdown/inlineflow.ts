/**
 * The inline text of the one leaf that is still growing: finished segments are rendered once,
 * the open one is rendered again only when that can change what is seen, within a budget.
 * Does not parse blocks and touches no DOM.
 */
import { isGrowth } from './growth';
import { hasMarkup, escapeHtml, type InlineRenderer } from './inline';
import { mend } from './mend';
import { OpenSegment, segmentsOf } from './segments';

/** Inline text as HTML that is not yet safe, in pieces; `tail` is plain text after them. */
export interface InlineView {
	readonly segments: readonly string[];
	readonly tail: string;
}

/** Characters that may be handed to marked for display alone, for each character received. */
const SPECULATION = 2.5;
/** An open segment longer than this is rendered again only when it has grown by a part of it. */
const LONG = 400;
const STALE = 1 / 8;
/** What a short text may cost beyond that. */
const ALLOWANCE = 2000;

interface Growing {
	/** The segment that has no end yet, and the text it was last looked for in. */
	open: OpenSegment;
	text: string;
	/** Source of the finished segments, and their HTML. */
	prefix: string;
	segments: string[];
	/** Source and HTML of the open segment when it was last rendered. */
	source: string;
	html: string;
	/** Whether something was open at its end then, so that its HTML is for display alone. */
	mended: boolean;
}

const fresh = (): Growing => ({
	open: new OpenSegment(0),
	text: '',
	prefix: '',
	segments: [],
	source: '',
	html: '',
	mended: false
});

export class InlineFlow {
	/** One for each cell of the open table row; a paragraph uses the first. */
	readonly #slots: Growing[] = [];
	#speculated = 0;
	#received = 0;

	constructor(readonly renderer: InlineRenderer) {}

	/** Tells how long the whole text is by now. */
	receive(length: number): void {
		this.#received = length;
	}

	/** Drops what was rendered of the growing text. */
	forget(): void {
		this.#slots.length = 0;
	}

	/** Text that may still grow. */
	open(text: string, slot = 0): InlineView {
		const growing = this.#commit(text, slot);
		const rest = text.slice(growing.prefix.length);
		if (!this.#stands(growing, rest)) this.#speculate(growing, rest);
		const known = rest.startsWith(growing.source) ? growing.source.length : 0;
		const head = known > 0 && growing.html ? [...growing.segments, growing.html] : growing.segments;
		return { segments: [...head], tail: rest.slice(known) };
	}

	/** Text that is whole. */
	whole(text: string, slot = 0): InlineView {
		const growing = this.#slots[slot];
		if (!growing || !isGrowth(text, growing.prefix)) return this.render(text);
		const rest = segmentsOf(text, growing.prefix.length);
		const reuse = rest.length === 1 && rest[0] === growing.source && !growing.mended;
		const html = reuse ? [growing.html] : rest.map((segment) => this.renderer.render(segment));
		return { segments: [...growing.segments, ...html], tail: '' };
	}

	/** Text that is whole, from its source alone. */
	render(text: string): InlineView {
		return { segments: segmentsOf(text).map((segment) => this.renderer.render(segment)), tail: '' };
	}

	#commit(text: string, slot: number): Growing {
		let growing = this.#slots[slot];
		if (!growing || !isGrowth(text, growing.text)) growing = this.#slots[slot] = fresh();
		growing.text = text;
		for (let cut = growing.open.end(text); cut > 0; cut = growing.open.end(text)) {
			const html = this.renderer.render(text.slice(growing.prefix.length, cut));
			growing.segments.push(html);
			growing.open = new OpenSegment(cut);
			growing.prefix = text.slice(0, cut);
			growing.source = growing.html = '';
			growing.mended = false;
		}
		return growing;
	}

	/** Whether the last rendering, with what came since as plain text after it, is still right. */
	#stands(growing: Growing, rest: string): boolean {
		if (!growing.source || !rest.startsWith(growing.source)) return false;
		const added = rest.slice(growing.source.length);
		const isLong = growing.source.length > LONG;
		if (!added || (isLong && added.length < growing.source.length * STALE)) return true;
		return !growing.mended && !hasMarkup(rest.slice(-added.length - 8));
	}

	#speculate(growing: Growing, rest: string): void {
		if (this.#speculated + rest.length > ALLOWANCE + SPECULATION * this.#received) return;
		const { text, open } = mend(rest);
		if (hasMarkup(text)) {
			this.#speculated += text.length;
			growing.html = this.renderer.render(text);
		} else {
			growing.html = escapeHtml(text);
		}
		growing.source = rest;
		growing.mended = open;
	}
}
