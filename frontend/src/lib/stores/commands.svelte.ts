/**
 * Owns what a reader does in one chat: send, edit, regenerate, stop, choose a branch, change settings.
 * Does not fold events: the chat store does. Ids are chosen here, so a command sent twice is one command.
 */

import type { Api } from '$lib/api/http';
import { Failure } from '$lib/types/failure';
import type { CreateChat, Message, Options, UpdateChat } from '$lib/types/wire';
import { newId } from '$lib/utils/id';
import type { ChatStore } from './chat.svelte';
import type { Unsent, UnsentMessages } from './unsent';

export interface Pending {
	unsent: Unsent;
	state: 'sending' | 'failed';
	failure: Failure | null;
	/** When a refused message may be tried again, in milliseconds since the epoch. */
	retryAt: number | null;
}

/** What a chat that is not on the server yet will be made with. */
export type NewChatSettings = Pick<
	CreateChat,
	'model' | 'system_prompt' | 'temperature' | 'max_tokens'
>;

export class ChatCommands {
	/** Messages the server has not accepted yet, oldest first. */
	pending = $state.raw<Pending[]>([]);
	/** A new answer was asked for and the server has not replied yet. */
	isStarting = $state(false);
	newChat = $state.raw<NewChatSettings>({});

	constructor(
		private readonly chat: ChatStore,
		private readonly api: Api,
		private readonly unsent: UnsentMessages
	) {
		this.pending = unsent.of(chat.id).map((kept) => failed(kept, new Failure('offline')));
	}

	/** What is set for the chat, whether it is on the server or not. */
	get settings(): NewChatSettings {
		return this.chat.head ?? this.newChat;
	}

	get isBusy(): boolean {
		return this.isStarting || this.chat.run !== null || this.pending.some(isSending);
	}

	/** Adds a user message below the last one and asks for an answer. */
	send(content: string, options: Options): Promise<void> {
		return this.#submit(content, options, this.chat.leafId ?? undefined);
	}

	/** Adds a sibling of `message` with other words, and asks for an answer to it. */
	edit(message: Message, content: string, options: Options): Promise<void> {
		return this.#submit(content, options, message.parent_id);
	}

	/** Sends a message again that was not accepted: the same request. */
	retry(messageId: string): Promise<void> {
		const pending = this.pending.find(({ unsent }) => unsent.request.message.id === messageId);
		return pending?.state === 'failed' ? this.#post(pending.unsent) : Promise.resolve();
	}

	/** Tries again what failed only because the way was closed. */
	retryPassing() {
		for (const { state, failure, unsent } of this.pending)
			if (state === 'failed' && failure?.isPassing) void this.#post(unsent);
	}

	/** Gives up sending; returns the text, so that it is not lost. */
	takeBack(messageId: string): string {
		const pending = this.pending.find(({ unsent }) => unsent.request.message.id === messageId);
		if (!pending) return '';
		this.#settle(pending.unsent);
		return pending.unsent.request.message.content;
	}

	/**
	 * Asks for another answer to the user message above `message`.
	 *
	 * @throws Failure
	 */
	async regenerate(message: Message, options: Options): Promise<void> {
		const parent_id = message.role === 'user' ? message.id : message.parent_id;
		this.isStarting = true;
		try {
			this.chat.accept(
				await this.api.startRun(this.chat.id, { run_id: newId(), parent_id, options })
			);
		} finally {
			this.isStarting = false;
		}
	}

	/** @throws Failure */
	async stop(): Promise<void> {
		const run = this.chat.beginStop();
		if (!run) return;
		try {
			await this.api.stopRun(run.runId, run.seq);
		} catch (error) {
			void this.chat.join();
			throw error;
		}
	}

	/**
	 * Shows another branch here and in all tabs.
	 *
	 * @throws Failure
	 */
	async showBranch(messageId: string): Promise<void> {
		await this.update({ active_leaf_id: this.chat.showBranch(messageId) });
	}

	/** @throws Failure */
	async update(changes: UpdateChat): Promise<void> {
		if (this.chat.phase === 'new') {
			this.newChat = { ...this.newChat, ...changes };
			return;
		}
		const {
			messages: _,
			active_run: __,
			...head
		} = await this.api.updateChat(this.chat.id, changes);
		this.chat.setHead(head);
	}

	#submit(content: string, options: Options, parent_id: string | null | undefined) {
		const unsent: Unsent = {
			chatId: this.chat.id,
			newChat: this.chat.phase === 'new' ? { id: this.chat.id, ...this.newChat } : null,
			request: { run_id: newId(), message: { id: newId(), content }, parent_id, options }
		};
		return this.#post(unsent);
	}

	async #post(unsent: Unsent): Promise<void> {
		this.unsent.keep(unsent);
		this.#show({ unsent, state: 'sending', failure: null, retryAt: null });
		try {
			if (unsent.newChat) {
				const made = await this.api.createChat(unsent.newChat);
				unsent.newChat = null;
				await this.chat.enter(made);
			}
			this.chat.accept(await this.api.startRun(this.chat.id, unsent.request));
			this.#settle(unsent);
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			this.#show(failed(unsent, error));
		}
	}

	#show(pending: Pending) {
		const isSame = (other: Pending) => idOf(other) === idOf(pending);
		this.pending = this.pending.some(isSame)
			? this.pending.map((other) => (isSame(other) ? pending : other))
			: [...this.pending, pending];
	}

	#settle(unsent: Unsent) {
		this.unsent.drop(unsent);
		this.pending = this.pending.filter((other) => idOf(other) !== unsent.request.message.id);
	}
}

const idOf = (pending: Pending) => pending.unsent.request.message.id;
const isSending = (pending: Pending) => pending.state === 'sending';

function failed(unsent: Unsent, failure: Failure): Pending {
	const retryAt = failure.retryAfterS === null ? null : Date.now() + failure.retryAfterS * 1000;
	return { unsent, state: 'failed', failure, retryAt };
}
