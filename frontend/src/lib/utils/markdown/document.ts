/**
 * One Markdown text that grows at its end, and what is to be seen of it after each growth.
 * What it shows in the end does not depend on how the text was cut on its way.
 * Touches no DOM and keeps no time; the render loop does.
 */
import { InlineRenderer } from './inline';
import { InlineFlow } from './inlineflow';
import { BlockParser } from './parser';
import type { Block } from './tree';
import { Viewer, type BlockView } from './views';

/** The beginning of a line that may still become a marker, a rule, an underline or a fence. */
const UNDECIDED =
	/^[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(?:[-=*+_#`~|>: \t]*|\d{1,9}[.)]?|\[[ xX]?\]?|\[\^[^\]\s]*(?:\]:?)?)[ \t]*$/;
const LINE_END = /\r\n?|\n/g;
/** A longer line is shown whatever it may become. */
const LONGEST_HELD = 64;
const CLOSING_FENCE = /^[ \t]*(?:`+|~+)[ \t]*$/;

export class MarkdownDocument {
	readonly #parser = new BlockParser();
	readonly #renderer = new InlineRenderer(
		this.#parser.definitions.links,
		this.#parser.definitions.notes
	);
	readonly #inline = new InlineFlow(this.#renderer);
	readonly #viewer = new Viewer(this.#inline);
	#text = '';
	/** Offset of the first line that is not read for good. */
	#read = 0;
	#finished = false;
	#unsettled: Block[] = [];

	/** Characters handed to marked so far; bounded by five times the text. */
	get characters(): number {
		return this.#renderer.characters;
	}

	/** Reads on to the end of `text`; `complete` when nothing more will come. */
	update(text: string, complete: boolean): void {
		if (this.#finished) return;
		this.#parser.takeBack();
		this.#text = text;
		this.#inline.receive(text.length);
		this.#readLines(text, complete);
		if (complete) this.#finish();
		else this.#draftLine(text.slice(this.#read));
	}

	/**
	 * Renders again what was shown before the link definitions it may use were known, up to about
	 * `characters` of it; true when nothing is left.
	 */
	settle(characters: number): boolean {
		for (let left = characters; left > 0;) {
			const block = this.#unsettled.shift();
			if (!block) return true;
			this.#viewer.forget(block);
			left -= block.text.length;
		}
		return this.#unsettled.length === 0;
	}

	view(): readonly BlockView[] {
		return this.#viewer.document(this.#parser.root);
	}

	#readLines(text: string, complete: boolean): void {
		for (let end = lineEnd(text, this.#read); end; end = lineEnd(text, this.#read)) {
			// the line feed after a carriage return may still be on its way
			if (!complete && end.next === text.length && text.charAt(end.at) === '\r') return;
			this.#parser.push(text.slice(this.#read, end.at));
			this.#read = end.next;
		}
	}

	#draftLine(line: string): void {
		const partial = line.replace(/\r$/, '');
		const code = this.#parser.openFence;
		const held = code ? CLOSING_FENCE : UNDECIDED;
		if (!partial || (partial.length <= LONGEST_HELD && held.test(partial))) return;
		this.#parser.draft(() => this.#parser.push(partial));
	}

	#finish(): void {
		if (this.#read < this.#text.length) this.#parser.push(this.#text.slice(this.#read));
		this.#parser.finish();
		this.#finished = true;
		if (this.#parser.definitions.size > 0) {
			this.#inline.forget();
			this.#unsettled = [...this.#viewer.shownReferences(this.#parser.root)];
		}
	}
}

function lineEnd(text: string, from: number): { at: number; next: number } | null {
	LINE_END.lastIndex = from;
	const found = LINE_END.exec(text);
	return found && { at: found.index, next: LINE_END.lastIndex };
}
