/**
 * Owns whether the view follows the end of a growing text.
 * Follows only a reader who is at the end, and never moves against one who scrolls up.
 */

/** Within this many pixels of the end a reader counts as being there. */
export const NEAR_END_PX = 100;
/** So long after it a movement is still that of a wheel, finger or key: they glide. */
const GLIDE_MS = 1000;
const MOVES = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const;

export class Follow {
	isFollowing = $state(true);
	#region: HTMLElement | null = null;
	#lastTop = 0;
	#lastHeight = 0;
	#lastClient = 0;
	#lastRest = 0;
	#movedAt = -Infinity;

	/** @param hasEnd whether there is anything to read to the end of: a page of beginnings is read from its top */
	constructor(private readonly hasEnd: () => boolean = () => true) {}

	/** Svelte attachment for the scrolling region; its first child is what grows. */
	readonly region = (region: HTMLElement) => {
		this.#region = region;
		const growth = new ResizeObserver(() => this.#grown());
		growth.observe(region);
		if (region.firstElementChild) growth.observe(region.firstElementChild);
		const onScroll = () => this.#scrolled();
		const onMove = () => (this.#movedAt = performance.now());
		region.addEventListener('scroll', onScroll, { passive: true });
		for (const move of MOVES) region.addEventListener(move, onMove, { passive: true });
		this.toEnd();
		return () => {
			growth.disconnect();
			region.removeEventListener('scroll', onScroll);
			for (const move of MOVES) region.removeEventListener(move, onMove);
			this.#region = null;
		};
	};

	/** Goes to the end and follows it from now on. */
	toEnd() {
		this.isFollowing = true;
		const region = this.#region;
		if (!region) return;
		if (this.hasEnd()) region.scrollTop = region.scrollHeight;
		this.#remember(region);
	}

	#grown() {
		const region = this.#region;
		if (!region) return;
		if (this.isFollowing && this.hasEnd()) region.scrollTop = region.scrollHeight;
		this.#remember(region);
	}

	#scrolled() {
		const region = this.#region;
		if (!region) return;
		const rest = region.scrollHeight - region.clientHeight - region.scrollTop;
		// A text that gets shorter takes a reader along; one who is moving and ends far from its end went there.
		const isShorter = region.scrollHeight < this.#lastHeight;
		const isBackedUp = isShorter && !(this.#isMoving && rest > NEAR_END_PX);
		const wentUp = region.scrollTop < this.#lastTop && !isBackedUp;
		// Further from the end, though further down: something was put in above while the reader went up.
		const wasPushed = region.scrollTop > this.#lastTop && rest > this.#lastRest + 1;
		if ((wentUp || wasPushed) && rest > 1 && this.#isReader(region)) this.isFollowing = false;
		else if (rest <= NEAR_END_PX) this.isFollowing = true;
		this.#remember(region);
	}

	/**
	 * Whether somebody moved the view. When the text changes its height, the browser moves it by itself: back as far
	 * as a text that got shorter ends, even if more came before anybody was told.
	 */
	#isReader(region: HTMLElement): boolean {
		const hasChanged =
			region.scrollHeight !== this.#lastHeight || region.clientHeight !== this.#lastClient;
		const isFar = Math.abs(region.scrollTop - this.#lastTop) > region.clientHeight / 2;
		return !hasChanged || isFar || this.#isMoving;
	}

	get #isMoving(): boolean {
		return performance.now() - this.#movedAt < GLIDE_MS;
	}

	#remember(region: HTMLElement) {
		this.#lastTop = region.scrollTop;
		this.#lastHeight = region.scrollHeight;
		this.#lastClient = region.clientHeight;
		this.#lastRest = region.scrollHeight - region.clientHeight - region.scrollTop;
	}
}
