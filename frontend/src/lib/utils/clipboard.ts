/** Owns putting text on the clipboard, also where the page is not served over https. */

/** @returns whether the browser allowed it */
export async function copyText(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return copyBySelection(text);
	}
}

/** The clipboard API is missing on plain http away from localhost; this older way is not. */
function copyBySelection(text: string): boolean {
	const focused = document.activeElement;
	const area = document.createElement('textarea');
	area.value = text;
	area.className = 'sr-only';
	document.body.append(area);
	area.select();
	const done = document.execCommand('copy');
	area.remove();
	if (focused instanceof HTMLElement) focused.focus();
	return done;
}
