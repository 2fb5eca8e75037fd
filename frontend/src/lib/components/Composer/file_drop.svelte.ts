/**
 * Owns files that are dragged over the page: they may be dropped anywhere, where the browser would
 * leave the page to show them. Does not read them.
 */

export class FileDrop {
	/** Files are held over the page, and may be let go. */
	isOver = $state(false);

	/** @param take is given what was dropped, but not while a dialog is open: what is written there is another text */
	constructor(take: (files: File[]) => void) {
		const onover = (event: DragEvent) => {
			if (!event.dataTransfer?.types.includes('Files')) return;
			event.preventDefault();
			this.isOver = !isCovered();
			if (!this.isOver) event.dataTransfer.dropEffect = 'none';
		};
		const onleave = (event: DragEvent) => {
			if (event.relatedTarget === null) this.isOver = false;
		};
		const ondrop = (event: DragEvent) => {
			this.isOver = false;
			const files = [...(event.dataTransfer?.files ?? [])];
			if (!files.length || event.defaultPrevented) return;
			event.preventDefault();
			if (!isCovered()) take(files);
		};
		$effect(() => {
			addEventListener('dragover', onover);
			addEventListener('dragleave', onleave);
			addEventListener('drop', ondrop);
			return () => {
				removeEventListener('dragover', onover);
				removeEventListener('dragleave', onleave);
				removeEventListener('drop', ondrop);
			};
		});
	}
}

/** A dialog lies over the page, with all that is around it. */
const isCovered = () => document.querySelector('[role=dialog]') !== null;
