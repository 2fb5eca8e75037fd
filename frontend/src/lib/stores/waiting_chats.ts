/**
 * Owns the chats that are not open and have messages to be sent: one tab takes each of them up, joins
 * it, and lets go of it when all is sent.
 * Does not send: the outbox of each chat does, as in a chat that is open.
 */

import type { ServerEvent } from '$lib/types/events';
import type { TabLocks } from '$lib/utils/tab_locks';
import { comeBack, letGo, type OpenChat } from './open_chat';
import type { UnsentMessages } from './unsent.svelte';

interface Waiting {
	/** Null as long as another tab has the chat. */
	chat: OpenChat | null;
	release: () => void;
}

export class WaitingChats {
	readonly #chats = new Map<string, Waiting>();

	constructor(
		private readonly unsent: UnsentMessages,
		private readonly make: (chatId: string) => OpenChat,
		private readonly locks: TabLocks
	) {}

	/** Sends what waits in all chats but the one that is open. */
	deliver(openId: string | null) {
		for (const { chat } of this.#chats.values()) if (chat) void this.#bringBack(chat);
		for (const chatId of this.unsent.chatIds)
			if (chatId !== openId && !this.#chats.has(chatId)) this.#begin(chatId);
	}

	/** Hands over a chat that is opened, if it is one of these. */
	take(chatId: string): OpenChat | null {
		const waiting = this.#chats.get(chatId);
		this.#chats.delete(chatId);
		if (!waiting?.chat) waiting?.release();
		else waiting.chat.commands.outbox.onEmpty = () => undefined;
		return waiting?.chat ?? null;
	}

	/** Takes over a chat that is not open any more; it is let go of when nothing waits in it. */
	keep(chat: OpenChat) {
		const { outbox } = chat.commands;
		outbox.cancelEditing();
		if (outbox.pending.length === 0 || isGone(chat)) return letGo(chat);
		this.#hold(chat);
	}

	handle(event: ServerEvent) {
		for (const { chat } of [...this.#chats.values()]) chat?.store.handle(event);
	}

	/** Reads again what is kept, as another tab may have changed or sent it. */
	reload() {
		for (const { chat } of [...this.#chats.values()]) chat?.commands.outbox.reload();
	}

	dispose() {
		for (const { chat, release } of this.#chats.values()) {
			if (chat) letGo(chat);
			else release();
		}
		this.#chats.clear();
	}

	#begin(chatId: string) {
		const waiting: Waiting = { chat: null, release: () => undefined };
		this.#chats.set(chatId, waiting);
		waiting.release = this.locks.take(chatId, () => {
			// Given up meanwhile, or sent by the tab that had it.
			if (this.#chats.get(chatId) !== waiting || this.unsent.of(chatId).length === 0) {
				if (this.#chats.get(chatId) === waiting) this.#chats.delete(chatId);
				queueMicrotask(() => waiting.release());
				return;
			}
			const chat = { ...this.make(chatId), release: () => waiting.release() };
			this.#hold(chat);
			void this.#bringBack(chat);
		});
	}

	async #bringBack(chat: OpenChat) {
		await comeBack(chat);
		if (this.#chats.get(chat.store.id)?.chat !== chat || !isGone(chat)) return;
		this.#chats.delete(chat.store.id);
		letGo(chat);
	}

	#hold(chat: OpenChat) {
		const { id } = chat.store;
		this.#chats.set(id, { chat, release: chat.release });
		chat.commands.outbox.onEmpty = () => {
			this.#chats.delete(id);
			letGo(chat);
		};
	}
}

/** Nothing can be sent into it; what was written stays in the browser. */
const isGone = ({ store }: OpenChat) => store.phase === 'missing' || store.phase === 'deleted';
