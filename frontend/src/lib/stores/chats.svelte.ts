/**
 * Owns the list of chats: pages of it, pinned first, then the newest activity.
 * Does not own the chat that is open, nor search, nor the folders and tags there are.
 */

import type { Api } from '$lib/api/http';
import type { ServerEvent } from '$lib/types/events';
import { Failure } from '$lib/types/failure';
import type { Chat, ChatSummary } from '$lib/types/wire';

const PAGE_SIZE = 50;

/** Which part of the chats is listed; nothing given: all that are not archived. */
export interface ChatsView {
	archived?: boolean;
	folder?: string;
	tag?: string;
}

export class ChatsStore {
	view = $state.raw<ChatsView>({});
	/** The chats chosen to do something with, while several are chosen; else null. */
	selection = $state.raw<ReadonlySet<string> | null>(null);
	/** The chats whose title the model has been asked for. */
	titling = $state.raw<ReadonlySet<string>>(new Set());
	items = $state.raw<ChatSummary[]>([]);
	phase = $state<'loading' | 'ready' | 'failed'>('loading');
	failure = $state.raw<Failure | null>(null);
	isLoadingMore = $state(false);
	#cursor = $state<string | null>(null);
	/** A list that was asked for earlier and answers later must not win. */
	#request = 0;

	constructor(private readonly api: Api) {}

	get hasMore(): boolean {
		return this.#cursor !== null;
	}

	get isFiltered(): boolean {
		return Object.values(this.view).some((value) => value !== undefined && value !== false);
	}

	/** Lists another part of the chats. */
	show(view: ChatsView) {
		this.view = view;
		this.selection = null;
		this.phase = 'loading';
		this.items = [];
		this.#cursor = null;
		void this.load();
	}

	select(ids: readonly string[] | null) {
		this.selection = ids && new Set(ids);
	}

	toggle(chatId: string) {
		const selection = new Set(this.selection);
		if (!selection.delete(chatId)) selection.add(chatId);
		this.selection = selection;
	}

	/** Reads the first page again, as after a reconnect. */
	async load(): Promise<void> {
		const request = ++this.#request;
		try {
			const page = await this.api.listChats({ limit: PAGE_SIZE, ...this.view });
			if (request !== this.#request) return;
			this.items = sorted(page.items);
			this.#cursor = page.next_cursor;
			this.failure = null;
			this.phase = 'ready';
		} catch (error) {
			if (request === this.#request) this.#fail(error);
		}
	}

	async loadMore(): Promise<void> {
		if (this.#cursor === null || this.isLoadingMore) return;
		const request = this.#request;
		this.isLoadingMore = true;
		try {
			const page = await this.api.listChats({
				limit: PAGE_SIZE,
				cursor: this.#cursor,
				...this.view
			});
			if (request !== this.#request) return;
			this.items = sorted([...without(this.items, page.items), ...page.items]);
			this.#cursor = page.next_cursor;
		} catch (error) {
			if (request === this.#request) this.#fail(error);
		} finally {
			this.isLoadingMore = false;
		}
	}

	handle(event: ServerEvent) {
		if (event.type === 'chat.deleted') this.#drop(event.chat_id);
		if (event.type === 'chat.changed') this.#put(event.chat);
	}

	/** @throws Failure */
	async rename(chatId: string, title: string): Promise<void> {
		await this.#change(chatId, { title }, () => this.api.updateChat(chatId, { title }));
	}

	/** @throws Failure */
	async pin(chatId: string, pinned: boolean): Promise<void> {
		await this.#change(chatId, { pinned }, () => this.api.updateChat(chatId, { pinned }));
	}

	/** @throws Failure */
	async archive(chat: ChatSummary, archived: boolean): Promise<void> {
		this.#put({ ...chat, archived });
		try {
			await this.api.updateChat(chat.id, { archived });
		} catch (error) {
			this.#put(chat);
			throw error;
		}
	}

	/** @throws Failure */
	async file(chat: ChatSummary, change: { folder: string | null; tags: string[] }): Promise<void> {
		await this.#change(chat.id, change, () => this.api.updateChat(chat.id, change));
	}

	/**
	 * Has the model give a chat its title, and returns it.
	 *
	 * @throws Failure the title stays as it was
	 */
	async titleByModel(chatId: string): Promise<string> {
		this.titling = new Set([...this.titling, chatId]);
		try {
			return (await this.api.titleChat(chatId)).title;
		} finally {
			this.titling = new Set([...this.titling].filter((id) => id !== chatId));
		}
	}

	/**
	 * Takes every message out of a chat; the chat stays.
	 *
	 * @throws Failure
	 */
	async clear(chatId: string): Promise<void> {
		await this.api.clearChat(chatId);
	}

	/** @throws Failure the chat is back in the list then */
	async remove(chatId: string): Promise<void> {
		const chat = this.items.find(({ id }) => id === chatId);
		this.#drop(chatId);
		try {
			await this.api.deleteChat(chatId);
		} catch (error) {
			if (chat) this.#put(chat);
			throw error;
		}
	}

	/** @throws Failure */
	async restore(chat: ChatSummary): Promise<void> {
		await this.api.restoreChat(chat.id);
		this.#put(chat);
	}

	/** Shows the change at once and takes it back when the server refuses. */
	async #change(chatId: string, change: Partial<ChatSummary>, command: () => Promise<Chat>) {
		const before = this.items.find(({ id }) => id === chatId);
		if (before) this.#put({ ...before, ...change });
		try {
			const { updated_at } = await command();
			const now = this.items.find(({ id }) => id === chatId);
			if (now && now.updated_at < updated_at) this.#put({ ...now, ...change, updated_at });
		} catch (error) {
			if (before) this.#put(before);
			throw error;
		}
	}

	/** A temporary chat is in no list. */
	#put(chat: ChatSummary) {
		if (chat.temporary) return;
		const others = without(this.items, [chat]);
		this.items = belongs(chat, this.view) ? sorted([...others, chat]) : others;
	}

	#drop(chatId: string) {
		this.items = this.items.filter(({ id }) => id !== chatId);
	}

	#fail(error: unknown) {
		if (!(error instanceof Failure)) throw error;
		this.failure = error;
		if (this.phase === 'loading') this.phase = 'failed';
	}
}

function belongs(chat: ChatSummary, { archived = false, folder, tag }: ChatsView): boolean {
	if (chat.archived !== archived) return false;
	if (folder !== undefined && chat.folder !== folder) return false;
	return tag === undefined || chat.tags.includes(tag);
}

function without(chats: ChatSummary[], removed: ChatSummary[]): ChatSummary[] {
	const ids = new Set(removed.map(({ id }) => id));
	return chats.filter(({ id }) => !ids.has(id));
}

/** As the server sorts: pinned first, then the newest activity, then the newer id. */
function sorted(chats: ChatSummary[]): ChatSummary[] {
	return chats.toSorted((one, other) => {
		if (one.pinned !== other.pinned) return one.pinned ? -1 : 1;
		if (one.updated_at !== other.updated_at) return one.updated_at > other.updated_at ? -1 : 1;
		return one.id > other.id ? -1 : 1;
	});
}
