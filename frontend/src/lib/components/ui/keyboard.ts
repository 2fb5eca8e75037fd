/**
 * Owns how much of the window an on-screen keyboard covers, where the browser lays it over the page (iOS).
 * Where the window itself becomes smaller, nothing is covered.
 */

/** Keeps `--covered` on the document up to date, in px, until the returned function is called. */
export function watchKeyboard(): () => void {
	const view = globalThis.visualViewport;
	if (!view) return () => undefined;
	const root = document.documentElement;
	const fit = () => {
		// Zoomed in with two fingers, one sees less for another reason.
		const covered = view.scale > 1 ? 0 : Math.max(0, root.clientHeight - view.height);
		root.style.setProperty('--covered', `${Math.round(covered)}px`);
		// The browser has pushed the page up to show the box, which now stands above the keyboard by itself.
		if (covered > 0 && view.offsetTop > 0) scrollTo(0, 0);
	};
	view.addEventListener('resize', fit);
	fit();
	return () => view.removeEventListener('resize', fit);
}
