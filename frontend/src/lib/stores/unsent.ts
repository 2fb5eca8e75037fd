/**
 * Owns the messages that were sent but not yet accepted, so that a reload does not lose them.
 * Does not send: the chat store does, with the same ids each time.
 */

import type { CreateChat, StartRun } from '$lib/types/wire';
import { isRecord, type KeyValueStore } from '$lib/utils/storage';

export interface Unsent {
	chatId: string;
	/** Set while the chat itself has still to be made. */
	newChat: CreateChat | null;
	request: StartRun & { run_id: string; message: { id: string; content: string } };
}

export class UnsentMessages {
	constructor(private readonly storage: KeyValueStore) {}

	of(chatId: string): Unsent[] {
		const kept = this.storage.read(`unsent.${chatId}`);
		return Array.isArray(kept) ? kept.filter(isUnsent) : [];
	}

	keep(unsent: Unsent) {
		const others = this.of(unsent.chatId).filter((other) => !same(other, unsent));
		this.storage.write(`unsent.${unsent.chatId}`, [...others, unsent]);
	}

	drop(unsent: Unsent) {
		const others = this.of(unsent.chatId).filter((other) => !same(other, unsent));
		if (others.length) this.storage.write(`unsent.${unsent.chatId}`, others);
		else this.storage.remove(`unsent.${unsent.chatId}`);
	}
}

const same = (one: Unsent, other: Unsent) => one.request.message.id === other.request.message.id;

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
