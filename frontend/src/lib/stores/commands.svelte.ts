/**
 * Owns what a reader does in one chat: send, edit, answer again, go on, stop, choose a branch,
 * change settings. Does not fold events: the chat store does. Ids are chosen here, so a command sent
 * twice is one command.
 */

import type { Api } from '$lib/api/http';
import { Failure } from '$lib/types/failure';
import type { CreateChat, Message, Options, RunStarted, UpdateChat } from '$lib/types/wire';
import { newId } from '$lib/utils/id';
import { canContinue } from '$lib/utils/path';
import type { ChatStore } from './chat.svelte';
import { Outbox } from './outbox.svelte';
import type { UnsentMessages } from './unsent.svelte';

/** What a chat that is not on the server yet will be made with. */
export type NewChatSettings = Pick<
	CreateChat,
	'model' | 'system_prompt' | 'temperature' | 'max_tokens' | 'params' | 'temporary'
>;

export class ChatCommands {
	/** Messages the server has not accepted yet. */
	readonly outbox: Outbox;
	/** A new answer was asked for and the server has not replied yet. */
	isStarting = $state(false);
	/** The message whose editor is asked for by the keyboard. */
	editing = $state<string | null>(null);
	/** Text that is to be put into the message box. */
	inserting = $state<string | null>(null);
	newChat = $state.raw<NewChatSettings>({});
	/** The switch by the composer, as it was last turned here. */
	#thinking = $state<boolean | null>(null);

	constructor(
		private readonly chat: ChatStore,
		private readonly api: Api,
		unsent: UnsentMessages,
		private readonly thinksByDefault: () => boolean = () => true
	) {
		this.outbox = new Outbox(chat, api, unsent, () => this.newChat);
		this.outbox.isHeldBack = () => this.isStarting;
		chat.onReady = () => void this.outbox.flush();
	}

	/** What is set for the chat, whether it is on the server or not. */
	get settings(): NewChatSettings {
		return this.chat.head ?? this.newChat;
	}

	get thinking(): boolean {
		return this.#thinking ?? this.settings.params?.thinking ?? this.thinksByDefault();
	}

	/** What goes with each answer that is asked for. */
	get options(): Options {
		return { thinking: this.thinking };
	}

	get isBusy(): boolean {
		return this.isStarting || this.chat.run !== null || this.outbox.isSending;
	}

	/** Adds a user message below the last one and asks for an answer, now or when its turn comes. */
	send(content: string): Promise<void> {
		return this.outbox.add(content, this.options);
	}

	/** Adds a sibling of `message` with other words, and asks for an answer to it. */
	edit(message: Message, content: string): Promise<void> {
		return this.outbox.add(content, this.options, message.parent_id);
	}

	/**
	 * Asks for another answer to the user message above `message`.
	 *
	 * @throws Failure
	 */
	regenerate(message: Message, options: Options = {}): Promise<void> {
		const parent_id = message.role === 'user' ? message.id : message.parent_id;
		const body = { run_id: newId(), parent_id, options: { ...this.options, ...options } };
		return this.#start(() => this.api.startRun(this.chat.id, body));
	}

	/** Whether `message` is an answer that was cut, with nothing below it. */
	canContinue(message: Message): boolean {
		return canContinue(this.chat.tree, message);
	}

	/**
	 * Goes on with an answer that was cut, in the same message.
	 *
	 * @throws Failure
	 */
	continue(message: Message): Promise<void> {
		const runId = message.metadata.run_id;
		if (!runId) return Promise.resolve();
		return this.#start(() =>
			this.api.continueRun(runId, { run_id: newId(), options: this.options })
		);
	}

	/**
	 * Ends the thinking of the live run; it goes on to the answer.
	 *
	 * @throws Failure
	 */
	async answerNow(): Promise<void> {
		const { run } = this.chat;
		if (!run) return;
		try {
			await this.api.answerNow(run.runId);
		} catch (error) {
			// It came to its answer by itself meanwhile.
			if (!(error instanceof Failure && error.code === 'not_thinking')) throw error;
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
	 * Changes the text of a message in place.
	 *
	 * @throws Failure
	 */
	async rewrite(message: Message, content: string): Promise<void> {
		const changed = await this.api.updateMessage(this.chat.id, message.id, content);
		this.chat.handle({ type: 'message.changed', message: changed });
	}

	/**
	 * Deletes a message with everything below it.
	 *
	 * @throws Failure
	 */
	async remove(message: Message): Promise<void> {
		await this.api.deleteMessage(this.chat.id, message.id);
		this.chat.handle({ type: 'message.deleted', chat_id: this.chat.id, message_id: message.id });
	}

	/**
	 * Copies the conversation up to `message` into a chat of its own; returns its id.
	 *
	 * @throws Failure
	 */
	async fork(message: Message): Promise<string> {
		return (await this.api.forkChat(this.chat.id, message.id)).id;
	}

	/**
	 * Shows another branch here and in all tabs. One that is not here is chosen by the server, and comes with
	 * the chat's news.
	 *
	 * @throws Failure
	 */
	async showBranch(messageId: string): Promise<void> {
		const isHere = this.chat.tree.has(messageId);
		await this.update({ active_leaf_id: isHere ? this.chat.showBranch(messageId) : messageId });
	}

	/** Turns thinking on or off for this chat; without the server for this page only. */
	async think(isOn: boolean): Promise<void> {
		this.#thinking = isOn;
		try {
			await this.update({ params: { ...this.settings.params, thinking: isOn } });
		} catch (error) {
			if (!(error instanceof Failure && error.isPassing)) throw error;
		}
	}

	/** Puts text into the message box, below what is there. */
	insert(text: string) {
		this.inserting = text;
	}

	/** @throws Failure */
	async update(changes: UpdateChat): Promise<void> {
		if (changes.params?.thinking !== undefined) this.#thinking = changes.params.thinking;
		if (this.chat.phase === 'new') {
			this.newChat = { ...this.newChat, ...(changes as NewChatSettings) };
			return;
		}
		const {
			messages: _,
			active_run: __,
			...head
		} = await this.api.updateChat(this.chat.id, changes);
		this.chat.setHead(head);
	}

	async #start(command: () => Promise<RunStarted>): Promise<void> {
		this.isStarting = true;
		try {
			this.chat.accept(await command());
		} finally {
			this.isStarting = false;
			void this.outbox.flush();
		}
	}
}
