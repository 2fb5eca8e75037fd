/**
 * Owns how much of a long conversation is drawn: its end at once, then older turns in the browser's
 * idle time and when they are scrolled to, without moving what is read. Asks for turns that are not here yet
 * before they are needed; does not fetch them itself.
 */

import { flushSync } from 'svelte';
import { Failure } from '$lib/types/failure';
import type { Message } from '$lib/types/wire';
import { windowful } from '$lib/utils/windowful';

/** So many at a time, so that no step is felt. */
const STEP = 4;
/** So many are drawn without being asked for: a page with thousands of turns grows heavy. */
const UNASKED = 300;
/** Fewer than these are left to be drawn: more are asked for. */
const LOW = 24;
const IDLE_MS = 8;
const NEAR = '1500px 0px 0px 0px';

/** Turns before those that are here. */
export interface Earlier {
	/** There are some, and they may be asked for. */
	readonly isReady: boolean;
	earlier(): Promise<void>;
}

export class TailFirst {
	/** The oldest turn that is drawn; those after it are drawn too. */
	#oldest = $state<string | null>(null);
	#isAll = $state(false);
	#region: HTMLElement | null = null;
	#from = $derived.by(() => {
		const at = this.path.findIndex(({ id }) => id === this.#oldest);
		return at < 0 ? this.path.length - windowful(this.path) : at;
	});

	/**
	 * @param paths the conversation, oldest turn first
	 * @param sought the id of a message that is to be drawn however far up it is, or null
	 * @param before the turns before it
	 */
	constructor(
		private readonly paths: () => Message[],
		private readonly sought: () => string | null,
		private readonly before: () => Earlier
	) {
		// What is drawn stays drawn when the conversation grows.
		$effect(() => {
			this.#oldest = this.path[this.#from]?.id ?? null;
		});
		$effect(() => {
			if (!this.#isWanted()) return undefined;
			if (this.#from < LOW && this.before().isReady) return whenIdle(() => void this.#ask());
			return this.#from > 0 ? whenIdle(() => this.#fill()) : undefined;
		});
	}

	private get path(): Message[] {
		return this.paths();
	}

	/** How many of the oldest turns are not drawn yet. */
	get hidden(): number {
		return this.#from;
	}

	/** Svelte attachment of the list, which stands in a box that scrolls (`data-conversation`). */
	readonly list = (list: HTMLElement) => {
		this.#region = list.closest<HTMLElement>('[data-conversation]');
		return () => (this.#region = null);
	};

	/** Svelte attachment of what stands before the oldest turn: near the window, older turns are drawn. */
	readonly edge = (edge: HTMLElement) => {
		// Looks again after each step, for as long as it is near.
		void this.#from;
		const reach = (entries: IntersectionObserverEntry[]) => {
			// Several of them may have gathered: the last one is how it is.
			if (!entries.at(-1)?.isIntersecting) return;
			if (this.#from < LOW && this.before().isReady) void this.#ask();
			if (this.#from > 0) this.draw(STEP);
		};
		const seen = new IntersectionObserver(reach, { root: this.#region, rootMargin: NEAR });
		seen.observe(edge);
		return () => seen.disconnect();
	};

	/** Draws all of it, a few turns at a time: the browser's own search looks at what is drawn. */
	drawAll() {
		this.#isAll = true;
	}

	/** Draws so many more turns above; what is in the window stays where it is. */
	draw(turns: number) {
		const next = Math.max(0, this.#from - turns);
		const region = this.#region;
		const below = region ? region.scrollHeight - region.scrollTop : 0;
		// The browser may move it too, and would do so a second time.
		if (region) region.style.overflowAnchor = 'none';
		this.#oldest = this.path[next]?.id ?? null;
		flushSync();
		if (!region) return;
		region.scrollTop = region.scrollHeight - below;
		region.style.overflowAnchor = '';
	}

	#isWanted(): boolean {
		const id = this.sought();
		const isSought = id !== null && this.path.slice(0, this.#from).some((turn) => turn.id === id);
		return this.#isAll || isSought || this.path.length - this.#from < UNASKED;
	}

	async #ask() {
		try {
			await this.before().earlier();
		} catch (error) {
			// The reader can still ask for them.
			if (!(error instanceof Failure)) throw error;
		}
	}

	#fill() {
		const end = performance.now() + IDLE_MS;
		do this.draw(STEP);
		while (this.#from > 0 && performance.now() < end);
	}
}

/** Calls back when the browser has nothing better to do; returns how to call it off. */
function whenIdle(run: () => void): () => void {
	if (!('requestIdleCallback' in globalThis)) {
		const timer = setTimeout(run, 50);
		return () => clearTimeout(timer);
	}
	const handle = requestIdleCallback(run);
	return () => cancelIdleCallback(handle);
}
