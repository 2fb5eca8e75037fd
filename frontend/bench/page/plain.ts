/** The floor: the text as it is, unread, once a frame. Nothing that shows a growing text costs less. */
export function plain(stage: HTMLElement): (text: string) => void {
	const box = stage.appendChild(document.createElement('div'));
	box.className = 'reading-text whitespace-pre-wrap';
	const PIECE = 2000; // so that what was shown is not laid out again
	let shown = 0;
	let pending: string | null = null;
	return (text) => {
		if (pending === null)
			requestAnimationFrame(() => {
				const all = pending ?? '';
				pending = null;
				for (; all.length - shown > PIECE; shown += PIECE) {
					open(box).data = all.slice(shown, shown + PIECE);
					box.append(document.createElement('div'));
				}
				open(box).data = all.slice(shown);
			});
		pending = text;
	};
}

/** The text node of the piece that still grows. */
function open(box: HTMLElement): Text {
	const piece = box.lastElementChild ?? box.appendChild(document.createElement('div'));
	const text = piece.firstChild ?? piece.appendChild(document.createTextNode(''));
	return text as Text;
}
