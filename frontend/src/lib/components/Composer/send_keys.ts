/**
 * Owns which key sends: the one in the settings, and never one that belongs to an input method.
 * Does not send.
 */

import type { Settings } from '$lib/stores/settings.svelte';

/** What browsers report for a key that the input method handles. */
const HANDLED_BY_INPUT_METHOD = 229;
/**
 * Safari ends the composition just before the keydown of the very Enter that ended it; a second
 * Enter by hand comes later than this.
 */
const SAME_KEY_MS = 30;

export class SendKeys {
	#composedAt = -Infinity;

	/** Tell it each `compositionend`. */
	composed(event: Event) {
		this.#composedAt = event.timeStamp;
	}

	sends(event: KeyboardEvent, sendKey: Settings['sendKey']): boolean {
		if (event.key !== 'Enter' || event.shiftKey || event.altKey) return false;
		if (this.#isComposing(event)) return false;
		return sendKey === 'enter' || event.ctrlKey || event.metaKey;
	}

	#isComposing(event: KeyboardEvent): boolean {
		return (
			event.isComposing ||
			event.keyCode === HANDLED_BY_INPUT_METHOD ||
			event.timeStamp - this.#composedAt < SAME_KEY_MS
		);
	}
}
