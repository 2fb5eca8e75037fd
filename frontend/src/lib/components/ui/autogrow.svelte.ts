/** Owns a text box that is as tall as its text, up to its CSS `max-height`. */

/** Svelte attachment; `text` is read so that a change from outside counts too. */
export function autogrow(text: () => string) {
	return (area: HTMLTextAreaElement) => {
		const fit = () => {
			area.style.height = 'auto';
			area.style.height = `${area.scrollHeight}px`;
		};
		const width = new ResizeObserver(fit);
		width.observe(area.parentElement ?? area);
		$effect(() => {
			text();
			fit();
		});
		return () => width.disconnect();
	};
}
