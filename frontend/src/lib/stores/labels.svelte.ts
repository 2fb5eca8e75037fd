/**
 * Owns the folders and tags that the user's chats are filed under, all of them: what is listed may be a part.
 * They are asked for whenever something opens that shows them; does not file chats.
 */

import type { Api } from '$lib/api/http';
import type { ServerEvent } from '$lib/types/events';
import { Failure } from '$lib/types/failure';
import type { ChatSummary } from '$lib/types/wire';

export class LabelsStore {
	folders = $state.raw<readonly string[]>([]);
	tags = $state.raw<readonly string[]>([]);
	/** An answer to an earlier request that comes later must not win. */
	#request = 0;
	/** The chats that changed while the server is asked: its answer may be older. */
	#news: ChatSummary[] | null = null;

	constructor(private readonly api: Pick<Api, 'labels'>) {}

	/** Asks which there are; those that were emptied go. Where it fails those that are known stay. */
	async load(): Promise<void> {
		const request = ++this.#request;
		this.#news = [];
		try {
			const { folders, tags } = await this.api.labels();
			if (request !== this.#request) return;
			this.folders = merged(folders.map(({ name }) => name));
			this.tags = merged(tags.map(({ name }) => name));
			for (const chat of this.#news) this.#add(chat);
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
		}
		if (request === this.#request) this.#news = null;
	}

	/** What is filed here or elsewhere is there at once. */
	handle(event: ServerEvent) {
		if (event.type !== 'chat.changed' || event.chat.temporary) return;
		this.#news?.push(event.chat);
		this.#add(event.chat);
	}

	#add({ folder, tags }: ChatSummary) {
		if (folder && !this.folders.includes(folder)) this.folders = merged(this.folders, [folder]);
		if (tags.some((tag) => !this.tags.includes(tag))) this.tags = merged(this.tags, tags);
	}
}

const merged = (known: readonly string[], more: readonly string[] = []) =>
	[...new Set([...known, ...more])].sort((one, other) => one.localeCompare(other));
