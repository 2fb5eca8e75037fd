/** Owns giving the focus to what is drawn with the next update. */

import { tick } from 'svelte';

/** What an editor replaced comes back when it closes, as a new element. */
export async function focusNext(find: () => HTMLElement | null | undefined): Promise<void> {
	await tick();
	find()?.focus();
}
