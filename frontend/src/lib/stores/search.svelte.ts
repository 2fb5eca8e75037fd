/**
 * Owns search as you type: the newest words win, earlier answers are dropped.
 * Does not keep chats.
 */

import type { Api } from '$lib/api/http';
import { Failure } from '$lib/types/failure';
import type { SearchHit } from '$lib/types/wire';

/** Long enough for the next letter of a fast writer. */
const PAUSE_MS = 150;
const HITS = 30;

export class SearchStore {
	query = $state('');
	hits = $state.raw<SearchHit[]>([]);
	phase = $state<'idle' | 'searching' | 'done' | 'failed'>('idle');
	failure = $state.raw<Failure | null>(null);
	#timer: ReturnType<typeof setTimeout> | undefined;
	#running: AbortController | null = null;

	constructor(private readonly api: Api) {}

	set(query: string) {
		this.query = query;
		clearTimeout(this.#timer);
		this.#running?.abort();
		if (!query.trim()) {
			this.hits = [];
			this.phase = 'idle';
			return;
		}
		this.phase = 'searching';
		this.#timer = setTimeout(() => void this.#search(query), PAUSE_MS);
	}

	clear() {
		this.set('');
	}

	async #search(q: string) {
		const running = (this.#running = new AbortController());
		try {
			const page = await this.api.searchChats({ q, limit: HITS }, running.signal);
			if (running.signal.aborted) return;
			this.hits = page.items;
			this.phase = 'done';
		} catch (error) {
			if (running.signal.aborted) return;
			if (!(error instanceof Failure)) throw error;
			this.failure = error;
			this.phase = 'failed';
		}
	}
}
