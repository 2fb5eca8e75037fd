/** Owns giving the focus to what is drawn with the next update. */

import { tick } from 'svelte';

/** What an editor replaced comes back when it closes, as a new element. */
export async function focusNext(find: () => HTMLElement | null | undefined): Promise<void> {
	await tick();
	find()?.focus();
}

/** So long one may wait for what the server has; who has waited longer does not expect the focus to move any more. */
const FETCHED_WITHIN_MS = 5_000;

/** As `focusNext`, for what may have to be fetched first. Whoever does something else meanwhile keeps the focus there. */
export function focusOnceDrawn(find: () => HTMLElement | null | undefined): void {
	const over = new AbortController();
	const { signal } = over;
	const look = () => {
		const found = find();
		if (!found) return;
		over.abort();
		found.focus();
	};
	const observer = new MutationObserver(look);
	observer.observe(document.body, { childList: true, subtree: true });
	signal.addEventListener('abort', () => observer.disconnect());
	for (const does of ['keydown', 'pointerdown'])
		window.addEventListener(does, () => over.abort(), { signal, capture: true });
	setTimeout(() => over.abort(), FETCHED_WITHIN_MS);
}
