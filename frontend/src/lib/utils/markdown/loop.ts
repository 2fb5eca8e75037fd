/**
 * When a growing text is rendered: at most once a frame, never more than half of the time, and a
 * long text that is there already a slice a frame.
 * Does not render; the document does. Touches no DOM.
 */
import { MarkdownDocument } from './document';
import { isGrowth } from './growth';
import type { BlockView } from './views';

/** Characters of text that was there already taken in one frame. */
const SLICE = 6000;
/** A frame starts no sooner after the last one than so many times what that one cost. */
const SPACING = 2;

export interface Rendering {
	readonly blocks: readonly BlockView[];
	/** Nothing is left to be shown. */
	readonly settled: boolean;
}

/** The browser's frames and clock; milliseconds. */
export interface Frames {
	request(callback: () => void): number;
	cancel(handle: number): void;
	/** After whatever is being done now, and before the browser draws. */
	soon(callback: () => void): void;
	/** The same until the next frame begins. */
	current(): unknown;
	now(): number;
}

export const browserFrames: Frames = {
	request: (callback) => requestAnimationFrame(callback),
	cancel: (handle) => cancelAnimationFrame(handle),
	soon: (callback) => queueMicrotask(callback),
	current: () => document.timeline.currentTime,
	now: () => performance.now()
};

export class RenderLoop {
	#document = new MarkdownDocument();
	#text = '';
	#streaming = false;
	/** How far the document has read. */
	#read = 0;
	/** What was on the screen when the document was started anew; not shown with less than that. */
	#owed = 0;
	#complete = false;
	#started = false;
	#frame: number | null = null;
	/** The frame that was drawn in last. */
	#drawn: unknown = null;
	#isSoon = false;
	#stopped = false;
	#earliest = 0;

	/** `publish` puts a rendering on the screen before it returns. */
	constructor(
		readonly publish: (rendering: Rendering) => void,
		readonly frames: Frames = browserFrames
	) {}

	/** The text as it is now. It is rendered with this frame if nothing was yet, or else with the next one. */
	feed(text: string, streaming: boolean): void {
		const grows = isGrowth(text, this.#text);
		if (!grows || (this.#complete && (streaming || text !== this.#text))) {
			this.#document = new MarkdownDocument();
			this.#owed = grows ? this.#read : 0;
			this.#read = 0;
			this.#complete = false;
		}
		this.#text = text;
		this.#streaming = streaming;
		if (!this.#started) {
			this.#started = true;
			this.#step();
		}
		this.#schedule();
	}

	stop(): void {
		this.#stopped = true;
		if (this.#frame !== null) this.frames.cancel(this.#frame);
		this.#frame = null;
	}

	get #behind(): boolean {
		return this.#read < this.#text.length || (!this.#streaming && !this.#complete);
	}

	#schedule(): void {
		if (this.#frame !== null || this.#isSoon || this.#stopped || !this.#behind) return;
		// What a frame brought is drawn in the same frame, not in the one after.
		if (this.frames.current() !== this.#drawn && this.frames.now() >= this.#earliest) {
			this.#isSoon = true;
			this.frames.soon(() => {
				this.#isSoon = false;
				this.#go();
			});
			return;
		}
		this.#frame = this.frames.request(() => {
			this.#frame = null;
			this.#go();
		});
	}

	#go(): void {
		if (this.#stopped) return;
		if (this.frames.now() >= this.#earliest) this.#step();
		this.#schedule();
	}

	#step(): void {
		const start = this.frames.now();
		this.#drawn = this.frames.current();
		const settled = this.#advance();
		if (this.#read >= this.#owed) {
			this.#owed = 0;
			this.publish({ blocks: this.#document.view(), settled });
		}
		const cost = this.frames.now() - start;
		this.#earliest = start + SPACING * cost;
	}

	/** Reads the next slice, or settles what is read; true when all is done. */
	#advance(): boolean {
		const end = sliceEnd(this.#text, this.#read + SLICE);
		const isLast = end === this.#text.length;
		this.#document.update(
			isLast ? this.#text : this.#text.slice(0, end),
			isLast && !this.#streaming
		);
		this.#read = end;
		if (!isLast || this.#streaming) return false;
		this.#complete = this.#document.settle(SLICE);
		return this.#complete;
	}
}

/** Never between the halves of a surrogate pair. */
function sliceEnd(text: string, wanted: number): number {
	if (wanted >= text.length) return text.length;
	return /[\ud800-\udbff]/.test(text.charAt(wanted - 1)) ? wanted - 1 : wanted;
}
