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
	isLoadingMore = $state(false);
	#cursor = $state<string | null>(null);
	#timer: ReturnType<typeof setTimeout> | undefined;
	#running: AbortController | null = null;

	constructor(private readonly api: Api) {}

	/** Whether there are hits beyond those that are here. */
	get hasMore(): boolean {
		return this.#cursor !== null;
	}

	set(query: string) {
		this.query = query;
		clearTimeout(this.#timer);
		this.#running?.abort();
		this.#cursor = null;
		this.isLoadingMore = false;
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

	/** Searches for the same words again. */
	again() {
		this.set(this.query);
	}

	/** Reads the next hits; where that fails it can be asked for again. */
	async more(): Promise<void> {
		if (this.#cursor === null || this.isLoadingMore) return;
		this.isLoadingMore = true;
		await this.#search(this.query, this.#cursor);
	}

	async #search(q: string, cursor?: string) {
		const running = (this.#running = new AbortController());
		try {
			const asked = { q, limit: HITS, ...(cursor === undefined ? {} : { cursor }) };
			const page = await this.api.searchChats(asked, running.signal);
			if (running.signal.aborted) return;
			this.hits = cursor === undefined ? page.items : [...this.hits, ...page.items];
			this.#cursor = page.next_cursor;
			this.isLoadingMore = false;
			this.phase = 'done';
		} catch (error) {
			if (running.signal.aborted) return;
			if (!(error instanceof Failure)) throw error;
			this.isLoadingMore = false;
			this.failure = error;
			if (cursor === undefined) this.phase = 'failed';
		}
	}
}
