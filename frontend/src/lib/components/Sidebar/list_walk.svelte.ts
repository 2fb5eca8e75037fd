/**
 * Owns walking the list of chats by the arrow keys: the list is one stop of the Tab key, whatever its length, and who
 * deletes a chat by keys goes on at the next one.
 * Does not draw it; of the list only a part is drawn, and with it always what an arrow leads to.
 */

import { tick } from 'svelte';
import type { Row } from './rows';

export class ListWalk {
	/** The chat that had the focus last. */
	#last = $state<string | null>(null);
	/** Where it was among the chats, if it was reached by keys. */
	#lastPlace: number | null = null;
	/** The places of the chats among the rows. */
	readonly #places: number[] = $derived.by(() =>
		this.rows().flatMap((row, at) => (row.kind === 'chat' ? [at] : []))
	);
	readonly #place: number = $derived.by(() => {
		const rows = this.rows();
		const at = (id: string | null) =>
			id === null ? -1 : this.#places.findIndex((place) => rows[place]?.key === id);
		return Math.max(
			0,
			...[at(this.#last), at(this.open())].filter((place) => place >= 0).slice(0, 1)
		);
	});

	/**
	 * @param rows the rows of the list
	 * @param open the id of the chat that is open, or null
	 */
	constructor(
		private readonly rows: () => readonly Row[],
		private readonly open: () => string | null
	) {}

	/** The id of the chat that Tab leads to: the last one, else the open one, else the first. */
	get stop(): string | null {
		return this.#key(this.#place);
	}

	/** The chat in the place of the last one, which is gone. */
	readonly #successor: string | null = $derived.by(() => {
		const isHere = this.rows().some(({ key }) => key === this.#last);
		if (this.#last === null || isHere || this.#lastPlace === null) return null;
		return this.#key(Math.min(this.#lastPlace, this.#places.length - 1));
	});

	/** The rows that are drawn also where they are out of sight: what the keys lead to. */
	readonly kept: number[] = $derived.by(() => {
		const last = this.#places.length - 1;
		const wanted = [0, this.#place - 1, this.#place, this.#place + 1, last];
		const once = wanted.filter((place, at) => wanted.indexOf(place) === at);
		return once.flatMap((place) => this.#places[place] ?? []);
	});

	/** Svelte attachment of the box that holds the list. */
	readonly box = (box: HTMLElement) => {
		const onfocus = ({ target }: FocusEvent) => {
			const control = target as HTMLElement;
			const item = control.closest<HTMLElement>('[data-chat-id]');
			if (!item) return;
			this.#last = item.dataset.chatId ?? null;
			this.#lastPlace = control.matches(':focus-visible') ? this.#place : null;
		};
		const onkey = (event: KeyboardEvent) => {
			const { target, key, altKey, ctrlKey, metaKey, shiftKey } = event;
			if (altKey || ctrlKey || metaKey || shiftKey) return;
			if (!(target as HTMLElement).matches('[data-chat-id] a')) return;
			const next = this.#key(this.#next(key));
			if (next === null) return;
			event.preventDefault();
			focus(next);
		};
		const focus = (id: string) =>
			box.querySelector<HTMLElement>(`[data-chat-id="${CSS.escape(id)}"] a`)?.focus();
		/** Who has clicked elsewhere since is not led back when a chat goes. */
		const onpointer = () => (this.#lastPlace = null);
		addEventListener('pointerdown', onpointer, { capture: true });
		box.addEventListener('focusin', onfocus);
		box.addEventListener('keydown', onkey);
		$effect(() => {
			const id = this.#successor;
			if (id === null) return;
			void tick().then(() => {
				if (document.activeElement === document.body) focus(id);
			});
		});
		return () => {
			removeEventListener('pointerdown', onpointer, { capture: true });
			box.removeEventListener('focusin', onfocus);
			box.removeEventListener('keydown', onkey);
		};
	};

	#next(key: string): number {
		switch (key) {
			case 'ArrowDown':
				return this.#place + 1;
			case 'ArrowUp':
				return this.#place - 1;
			case 'Home':
				return 0;
			case 'End':
				return this.#places.length - 1;
			default:
				return -1;
		}
	}

	#key(place: number): string | null {
		return this.rows()[this.#places[place] ?? -1]?.key ?? null;
	}
}
