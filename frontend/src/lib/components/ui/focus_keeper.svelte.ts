/**
 * Owns that the focus is not lost: when what had it goes away, as the Stop button does at the end of an answer, it
 * goes back to where one writes. Does not take it from where it is, nor open a keyboard on a touch screen.
 */

import { tick } from 'svelte';

/**
 * To be called while a component is made.
 *
 * @param changes reads whatever a control may come or go with
 * @param home what gets the focus then
 */
export function keepFocus(changes: () => unknown, home: () => HTMLElement | null | undefined) {
	let last: EventTarget | null = null;

	/** What the focus is let go of by a click beside it is not looked for any more. */
	const onpointerdown = () => (last = null);
	const onfocusin = ({ target }: FocusEvent) => (last = target);

	function look() {
		const isLost = last instanceof Element && !last.isConnected;
		if (!isLost || document.activeElement !== document.body) return;
		last = null;
		if (matchMedia('(pointer: fine)').matches) home()?.focus({ preventScroll: true });
	}

	$effect(() => {
		addEventListener('pointerdown', onpointerdown);
		addEventListener('focusin', onfocusin);
		return () => {
			removeEventListener('pointerdown', onpointerdown);
			removeEventListener('focusin', onfocusin);
		};
	});
	$effect(() => {
		changes();
		// A dialog or an editor that closes at the same time says first where the focus goes.
		void tick().then(() => requestAnimationFrame(look));
	});
}
