/**
 * Owns where messages are kept that were written but not yet accepted, so that a reload does not
 * lose them. Does not send: the outbox does, with the same ids each time.
 */

import type { CreateChat, StartRun } from '$lib/types/wire';
import { isRecord, type KeyValueStore } from '$lib/utils/storage';

export interface Unsent {
	chatId: string;
	/** Set while the chat itself has still to be made. */
	newChat: CreateChat | null;
	/** Without `parent_id` it goes below what will be the last message then. */
	request: StartRun & { run_id: string; message: { id: string; content: string } };
}

const PREFIX = 'unsent.';

export class UnsentMessages {
	/** The chats that have any. */
	chatIds = $state.raw<ReadonlySet<string>>(new Set());

	constructor(private readonly storage: KeyValueStore) {
		this.refresh();
	}

	/** Looks again which chats have any, as another tab may have written or sent some. */
	refresh() {
		const prefixed = this.storage.keys().filter((key) => key.startsWith(PREFIX));
		this.chatIds = new Set(prefixed.map((key) => key.slice(PREFIX.length)));
	}

	of(chatId: string): Unsent[] {
		const kept = this.storage.read(PREFIX + chatId);
		return Array.isArray(kept) ? kept.filter(isUnsent) : [];
	}

	replace(chatId: string, all: Unsent[]) {
		if (all.length) this.storage.write(PREFIX + chatId, all);
		else this.storage.remove(PREFIX + chatId);
		if (this.chatIds.has(chatId) !== all.length > 0) this.refresh();
	}

	drop(unsent: Unsent) {
		const { id } = unsent.request.message;
		this.replace(
			unsent.chatId,
			this.of(unsent.chatId).filter(({ request }) => request.message.id !== id)
		);
	}
}

function isUnsent(value: unknown): value is Unsent {
	if (!isRecord(value) || typeof value.chatId !== 'string') return false;
	const { request } = value;
	return (
		isRecord(request) &&
		typeof request.run_id === 'string' &&
		isRecord(request.message) &&
		typeof request.message.id === 'string' &&
		typeof request.message.content === 'string'
	);
}
