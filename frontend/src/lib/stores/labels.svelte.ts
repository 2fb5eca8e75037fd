/**
 * Owns the folders and tags that the user's chats are filed under, all of them: what is listed may be a part.
 * They are asked for whenever something opens that shows them; does not file chats.
 */

import type { Api } from '$lib/api/http';
import type { ServerEvent } from '$lib/types/events';
import { Failure } from '$lib/types/failure';
import type { ChatSummary, Label } from '$lib/types/wire';

/** A folder or a tag. */
export interface KnownLabel {
	name: string;
	/** Whether some chat under it is listed; those of the others are all archived. */
	isListed: boolean;
}

export class LabelsStore {
	folders = $state.raw<readonly KnownLabel[]>([]);
	tags = $state.raw<readonly KnownLabel[]>([]);
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
			this.folders = merged([], folders.map(known));
			this.tags = merged([], tags.map(known));
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

	/** Nothing goes by it: whether another chat is left under a label, only the server knows. */
	#add({ folder, tags, archived }: ChatSummary) {
		const isListed = !archived;
		if (folder) this.folders = merged(this.folders, [{ name: folder, isListed }]);
		if (tags.length > 0)
			this.tags = merged(
				this.tags,
				tags.map((name) => ({ name, isListed }))
			);
	}
}

const known = ({ name, chats, archived }: Label): KnownLabel => ({
	name,
	isListed: chats > archived
});

/** Each name once, in the reader's order; the same list where nothing is new. */
function merged(labels: readonly KnownLabel[], more: readonly KnownLabel[]): readonly KnownLabel[] {
	const byName = new Map(labels.map((label) => [label.name, label]));
	const isNews = ({ name, isListed }: KnownLabel) => {
		const label = byName.get(name);
		return !label || (isListed && !label.isListed);
	};
	const news = more.filter(isNews);
	if (news.length === 0) return labels;
	for (const label of news) byName.set(label.name, label);
	return [...byName.values()].sort((one, other) => one.name.localeCompare(other.name));
}
