/**
 * Sets formulas in type by KaTeX, which is loaded with its fonts when the first formula is seen.
 * Does not find formulas in Markdown. KaTeX makes nodes, not HTML; nothing of it is trusted with links, images or styles.
 */
import type katex from 'katex';

/** Beyond this a formula stays as it was written: its time grows with it. */
const LONGEST = 5_000;
const LIMITS = { maxExpand: 500, maxSize: 20 };

let loading: Promise<typeof katex> | null = null;

function load(): Promise<typeof katex> {
	loading ??= Promise.all([import('katex'), import('katex/dist/katex.min.css')]).then(
		([{ default: loaded }]) => loaded
	);
	loading.catch(() => (loading = null)); // the network may be back for the next one
	return loading;
}

/** Replaces what `box` shows by the formula; a formula that is wrong or not whole changes nothing. */
export async function typeset(tex: string, box: HTMLElement, isDisplay: boolean): Promise<void> {
	if (!tex || tex.length > LONGEST) return;
	const set = await load().catch(() => null);
	if (!set) return;
	const made = document.createElement('span');
	try {
		const options = { displayMode: isDisplay, throwOnError: true, strict: false, trust: false };
		set.render(tex, made, { ...options, ...LIMITS });
	} catch {
		return;
	}
	box.replaceChildren(...made.childNodes);
}

/** Sets every formula below `root` that `math.ts` has marked. */
export function typesetAll(root: HTMLElement): void {
	for (const box of root.querySelectorAll<HTMLElement>('data[value$="-math"]'))
		void typeset(box.textContent ?? '', box, box.getAttribute('value') === 'display-math');
}
