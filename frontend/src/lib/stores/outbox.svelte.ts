/**
 * Owns the messages of one chat that the server has not accepted yet: kept over a reload, sent one
 * after the other, each once. What cannot be sent waits, and what is written while an answer
 * streams waits for its end.
 * Does not fold events: the chat store does, and says when the chat is idle.
 */

import type { Api } from '$lib/api/http';
import { Failure } from '$lib/types/failure';
import type { CreateChat, Options } from '$lib/types/wire';
import { newId } from '$lib/utils/id';
import type { ChatStore } from './chat.svelte';
import { retryAfterMs } from './patience';
import type { Unsent, UnsentMessages } from './unsent.svelte';

export interface Pending {
	unsent: Unsent;
	state: 'waiting' | 'sending' | 'failed';
	failure: Failure | null;
	/** When a refused message is tried again by itself, in milliseconds since the epoch. */
	retryAt: number | null;
	tries: number;
}

export class Outbox {
	/** Oldest first. */
	pending = $state.raw<Pending[]>([]);
	/** The message being changed is not sent under its writer's hands. */
	editing = $state<string | null>(null);
	/** A new answer was asked for by another command and the server has not replied yet. */
	isHeldBack = () => false;
	/** Called when nothing waits any more. */
	onEmpty: () => void = () => undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(
		private readonly chat: ChatStore,
		private readonly api: Api,
		private readonly kept: UnsentMessages,
		private readonly newChat: () => Omit<CreateChat, 'id'>
	) {
		this.pending = kept.of(chat.id).map(waiting);
	}

	get isSending(): boolean {
		return this.pending.some(({ state }) => state === 'sending');
	}

	/** Whether the next message has to be sent by hand, as the answer above it went wrong. */
	get isHeld(): boolean {
		const above = this.chat.path.at(-1)?.status;
		return !this.chat.run && (above === 'failed' || above === 'interrupted');
	}

	/** Puts a message in line; it goes at once where nothing is before it. */
	add(content: string, options: Options, parent_id?: string | null): Promise<void> {
		const isNew = this.chat.phase === 'new';
		const unsent: Unsent = {
			chatId: this.chat.id,
			newChat: isNew ? { id: this.chat.id, ...this.newChat() } : null,
			request: { run_id: newId(), message: { id: newId(), content }, parent_id, options }
		};
		const isFirst = this.pending.length === 0;
		this.#put(waiting(unsent));
		return isFirst && this.#isOpen ? this.#post(unsent) : Promise.resolve();
	}

	/** Sends the first message in line if the chat is ready for it. */
	flush(): Promise<void> {
		this.#settleArrived();
		const [first] = this.pending;
		if (!first || first.state !== 'waiting' || !this.#isOpen) return Promise.resolve();
		if (this.isHeld && first.tries === 0) return Promise.resolve();
		return this.#post(first.unsent);
	}

	/** The way is open again: what failed only because it was closed is tried at once, all else in its time. */
	retryPassing(): Promise<void> {
		return this.#tryAgain((failure) => failure?.isPassing ?? false);
	}

	/** Sends the first message in line by the reader's wish: the same request as before. */
	retry(messageId: string): Promise<void> {
		const [first] = this.pending;
		const isFirst = first && idOf(first) === messageId && first.state !== 'sending';
		return isFirst && this.#isOpen ? this.#post(first.unsent) : Promise.resolve();
	}

	rewrite(messageId: string, content: string) {
		this.editing = null;
		const pending = this.#find(messageId);
		if (pending && pending.state !== 'sending') {
			const { request } = pending.unsent;
			const message = { ...request.message, content };
			// What may have arrived already keeps its words there: others need ids of their own.
			const isOther = pending.failure?.code === 'id_conflict';
			const ids = isOther ? { run_id: newId(), message: { ...message, id: newId() } } : { message };
			if (isOther) this.kept.drop(pending.unsent);
			const unsent = { ...pending.unsent, request: { ...request, ...ids } };
			this.pending = this.pending.map((other) =>
				other === pending ? { ...other, unsent, state: 'waiting' as const } : other
			);
			this.#keepAll();
		}
		void this.flush();
	}

	cancelEditing() {
		this.editing = null;
		void this.flush();
	}

	/** Takes a message out of the line; returns what puts it back. */
	remove(messageId: string): () => void {
		const index = this.pending.findIndex((pending) => idOf(pending) === messageId);
		const removed = this.pending[index];
		if (!removed || removed.state === 'sending') return () => undefined;
		this.#settle(removed.unsent);
		void this.flush();
		return () => {
			this.pending = this.pending.toSpliced(index, 0, waiting(removed.unsent));
			this.#keepAll();
			void this.flush();
		};
	}

	/** Reads again what is kept, as another tab may have changed or sent it. */
	reload() {
		const kept = this.kept.of(this.chat.id);
		const known = new Map(this.pending.map((pending) => [idOf(pending), pending]));
		this.pending = kept.map((unsent) => {
			const pending = known.get(unsent.request.message.id);
			return pending ? { ...pending, unsent } : waiting(unsent);
		});
		if (this.pending.length === 0) this.onEmpty();
	}

	/** Takes every message out of the line; none of them can be put back. */
	clear() {
		this.pending = [];
		this.#keepAll();
	}

	dispose() {
		clearTimeout(this.#timer);
	}

	get #isOpen(): boolean {
		const { phase, run } = this.chat;
		const isThere = phase === 'new' || phase === 'ready';
		return isThere && !run && !this.isSending && !this.isHeldBack() && !this.#isBeingEdited;
	}

	get #isBeingEdited(): boolean {
		const [first] = this.pending;
		return first !== undefined && idOf(first) === this.editing;
	}

	/** What a page sent that did not live to hear of it, or whose reply was lost, stands in the chat already. */
	#settleArrived() {
		for (const { unsent, state } of this.pending) {
			const { id, content } = unsent.request.message;
			if (state !== 'sending' && this.chat.tree.get(id)?.content === content) this.#settle(unsent);
		}
	}

	async #post(waitingOne: Unsent): Promise<void> {
		const unsent = this.#placed(waitingOne);
		const tries = (this.#find(unsent.request.message.id)?.tries ?? 0) + 1;
		this.#put({ unsent, state: 'sending', failure: null, retryAt: null, tries });
		try {
			if (this.chat.phase === 'new' && unsent.newChat) {
				const made = await this.api.createChat(unsent.newChat);
				this.#chatIsMade();
				await this.chat.enter(made);
			}
			const started = await this.api.startRun(this.chat.id, unsent.request);
			this.#settle(unsent);
			this.chat.accept(started);
			// A short answer may be over already.
			void this.flush();
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			// A refusal left nothing behind: the place is chosen anew then.
			const isRefused = error.status >= 400 && error.status < 500;
			this.#failed(isRefused ? waitingOne : unsent, error, tries);
		}
	}

	/** The first try fixes the place, so that each further one is the same request. */
	#placed(unsent: Unsent): Unsent {
		const { request } = unsent;
		if (request.parent_id !== undefined) return unsent;
		return { ...unsent, request: { ...request, parent_id: this.chat.leafId ?? null } };
	}

	#failed(unsent: Unsent, failure: Failure, tries: number) {
		const now = this.#find(unsent.request.message.id);
		// Another tab has sent it meanwhile, or the chat is gone.
		if (!now) return;
		if (failure.code === 'run_active') {
			this.#put({ ...waiting({ ...unsent, newChat: now.unsent.newChat }), tries });
			return;
		}
		const wait = isTriedAgain(failure) ? retryAfterMs(failure, tries) : null;
		const retryAt = wait === null ? null : Date.now() + wait;
		this.#put({
			unsent: { ...unsent, newChat: now.unsent.newChat },
			state: 'failed',
			failure,
			retryAt,
			tries
		});
		if (wait === null) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#tryAgain(isTriedAgain), wait);
	}

	#tryAgain(isDue: (failure: Failure | null) => boolean): Promise<void> {
		this.pending = this.pending.map((pending) =>
			pending.state === 'failed' && isDue(pending.failure)
				? { ...pending, state: 'waiting', retryAt: null }
				: pending
		);
		return this.flush();
	}

	#chatIsMade() {
		this.pending = this.pending.map((pending) => ({
			...pending,
			unsent: { ...pending.unsent, newChat: null }
		}));
		this.#keepAll();
	}

	#find(messageId: string) {
		return this.pending.find((pending) => idOf(pending) === messageId);
	}

	#put(pending: Pending) {
		const isKnown = this.#find(idOf(pending)) !== undefined;
		this.pending = isKnown
			? this.pending.map((other) => (idOf(other) === idOf(pending) ? pending : other))
			: [...this.pending, pending];
		this.#keepAll();
	}

	#settle(unsent: Unsent) {
		const { id } = unsent.request.message;
		this.pending = this.pending.filter((other) => idOf(other) !== id);
		this.#keepAll();
	}

	#keepAll() {
		this.kept.replace(
			this.chat.id,
			this.pending.map(({ unsent }) => unsent)
		);
		if (this.pending.length === 0) this.onEmpty();
	}
}

const idOf = (pending: Pending) => pending.unsent.request.message.id;

const waiting = (unsent: Unsent): Pending => ({
	unsent,
	state: 'waiting',
	failure: null,
	retryAt: null,
	tries: 0
});

/** Time heals it: the same request will be accepted later. */
const isTriedAgain = (failure: Failure | null): boolean =>
	failure !== null &&
	(failure.isPassing || failure.code === 'too_many_runs' || failure.code === 'too_many_requests');
