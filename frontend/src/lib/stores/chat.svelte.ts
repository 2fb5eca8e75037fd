/**
 * Owns one open chat: its messages as a tree, the run that has not ended, and staying in step with
 * the server. Live, reload, reconnect and a second tab are one path: join, then fold events.
 * Of a long chat only the newest turns of the branch that is shown may be here.
 * Does not send commands: `commands.svelte.ts` does; nor fetch what is missing: `history.svelte.ts` does.
 */

import { untrack } from 'svelte';
import type { Realtime } from '$lib/api/socket';
import { chatOf, type Joined, type RunEvent, type ServerEvent } from '$lib/types/events';
import { Failure } from '$lib/types/failure';
import type { Chat, Message, RunStarted } from '$lib/types/wire';
import { isElsewhere, isWhole, withOlder } from '$lib/utils/known_part';
import {
	newestLeaf,
	newestRootLeaf,
	pathTo,
	withMessage,
	withoutMessage,
	type Tree
} from '$lib/utils/path';
import { reduce, runBefore, runFromSnapshot, stopping, type RunState } from './run_state';
import type { Scheduler } from './scheduler';

/** A chat without what has a home of its own. */
export type ChatHead = Omit<Chat, 'messages' | 'active_run'>;

/** `new` is not on the server yet; `missing` never was, or is another's. */
export type ChatPhase = 'new' | 'loading' | 'ready' | 'missing' | 'deleted' | 'failed';

/** So many ended runs are remembered, to tell a late event from a new run. */
const ENDED_KEPT = 20;
/** So many of the newest turns come with a chat: some windows full. */
const FIRST_TURNS = 50;
/** Who comes back gets what was here, and room for what has come meanwhile; the server gives so many at most. */
const MORE_TURNS = 50;
const MOST_TURNS = 5000;

export class ChatStore {
	phase = $state<ChatPhase>('loading');
	failure = $state.raw<Failure | null>(null);
	head = $state.raw<ChatHead | null>(null);
	tree = $state.raw<Tree>(new Map());
	/** What is shown of the live run; at most one frame behind what has arrived. */
	run = $state.raw<RunState | null>(null);
	/** When the live run began to think, or to generate, in milliseconds since the epoch by the page's clock. */
	runSince = $state<number | null>(null);
	leafId = $state<string | null>(null);
	/** A message that is to be on the screen, however far up it is. */
	sought = $state<string | null>(null);
	readonly path: Message[] = $derived(pathTo(this.tree, this.leafId));
	/** Whether the server has turns before the oldest one that is here. */
	readonly hasEarlier: boolean = $derived((this.path[0]?.parent_id ?? null) !== null);
	/** Called when the chat is there anew, and when its run has ended. */
	onReady: () => void = () => undefined;

	#run: RunState | null = null;
	#ended: string[] = [];
	/** Messages that are gone: a page that was asked for before must not bring them back. */
	#deleted = new Set<string>();
	/** Events that arrive while a join is on its way, in order; null when none is. */
	#held: ServerEvent[] | null = null;
	#join = 0;

	constructor(
		readonly id: string,
		phase: 'new' | 'loading',
		private readonly realtime: Realtime,
		private readonly scheduler: Scheduler
	) {
		this.phase = phase;
	}

	/** Enters the chat, or comes back to it, and takes over the server's state. */
	async join(): Promise<void> {
		const here = untrack(() => this.path.length);
		const messages = here ? Math.min(here + MORE_TURNS, MOST_TURNS) : FIRST_TURNS;
		const failure = await this.#take(() => this.realtime.join({ chat_id: this.id, messages }));
		if (!failure || failure.isPassing) return;
		const isUnknown = failure.code === 'chat_not_found' || failure.code === 'not_found';
		this.phase = isUnknown ? 'missing' : 'failed';
		this.failure = failure;
	}

	/** The chat is on the server now. Its events are followed before anything can happen in it. */
	async enter({ messages: _, active_run: __, ...head }: Chat): Promise<void> {
		this.head = head;
		this.phase = 'ready';
		await this.join();
	}

	leave() {
		this.#join += 1;
		this.scheduler.cancel();
		if (this.phase !== 'new') this.realtime.leave(this.id);
	}

	handle(event: ServerEvent) {
		if (chatOf(event) !== this.id || this.phase === 'new') return;
		if (this.#held) this.#held.push(event);
		else this.#fold(event);
	}

	/** Takes over the reply to a command that started a run. */
	accept({ run, user_message, assistant_message }: RunStarted) {
		if (user_message) this.#put(user_message);
		this.#put(assistant_message);
		this.#showLeaf(assistant_message.id);
		const isOver = run.ended_at !== null || this.#ended.includes(run.id);
		if (isOver || this.#run?.runId === run.id) return;
		this.#setRun(runBefore(run.id, assistant_message));
		this.#publish();
	}

	/** Freezes the text where the reader stopped it. Returns the run to stop, or null. */
	beginStop(): RunState | null {
		if (!this.#run || this.#run.phase === 'ended') return null;
		this.#setRun(stopping(this.#run));
		this.#publish();
		return this.#run;
	}

	/** Shows the branch through `messageId`; returns its leaf. */
	showBranch(messageId: string): string {
		const leaf = newestLeaf(this.tree, messageId);
		this.#showLeaf(leaf);
		return leaf;
	}

	setHead(chat: ChatHead) {
		if (this.head && this.head.updated_at > chat.updated_at) return;
		this.head = { ...this.head, ...chat };
		const leaf = chat.active_leaf_id;
		if (leaf && !this.#showLeaf(leaf) && !isWhole(this.tree)) void this.join();
	}

	/** Takes in messages that were there before the page looked, parents before their children. */
	addOlder(messages: readonly Message[]) {
		this.tree = withOlder(this.tree, messages, this.#deleted);
	}

	#fold(event: ServerEvent) {
		switch (event.type) {
			case 'chat.changed':
				// Deleted, and brought back by an undo: what it held is asked for anew.
				if (this.phase === 'deleted') return void this.join();
				return this.setHead({ system_prompt: this.head?.system_prompt ?? null, ...event.chat });
			case 'chat.deleted':
				this.phase = 'deleted';
				return;
			case 'message.changed':
				return isElsewhere(this.tree, event.message) ? undefined : this.#put(event.message);
			case 'message.deleted':
				return this.#remove(event.message_id);
			default:
				return this.#foldRun(event);
		}
	}

	#foldRun(event: RunEvent) {
		if (this.#ended.includes(event.run_id)) return;
		const run = this.#run?.runId === event.run_id ? this.#run : this.#begin(event);
		if (!run) return void this.join();
		const step = reduce(run, event);
		if (step.verdict === 'duplicate') return;
		if (step.verdict === 'gap') return void this.#catchUp(run);
		this.#setRun(step.state);
		const beginsToThink = step.state.channel === 'reasoning' && run.channel !== 'reasoning';
		if (beginsToThink || (event.type === 'run.started' && event.continued === 0))
			this.runSince = Date.now();
		if (step.state.message) this.#end(step.state, step.state.message);
		else this.scheduler.soon(() => this.#publish());
	}

	/** The first event of a run starts from its message, which was announced before. */
	#begin(event: RunEvent): RunState | null {
		const message = event.message_id ? this.tree.get(event.message_id) : undefined;
		return event.seq === 1 && message && !this.#run ? runBefore(event.run_id, message) : null;
	}

	#end(run: RunState, message: Message) {
		this.#ended = [...this.#ended, run.runId].slice(-ENDED_KEPT);
		if (this.tree.has(message.id)) this.#put(message);
		this.#setRun(null);
		this.#publish();
		this.onReady();
	}

	async #catchUp(run: RunState) {
		const request = { chat_id: this.id, run_id: run.runId, after_seq: run.seq };
		await this.#take(() => this.realtime.join(request));
	}

	/** Joins, and folds what arrived meanwhile on top of the answer. Only the latest join counts. */
	async #take(join: () => Promise<Joined>): Promise<Failure | null> {
		const ticket = ++this.#join;
		this.#held ??= [];
		let joined: Joined | null = null;
		let failure: Failure | null = null;
		try {
			joined = await join();
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			failure = error;
		}
		if (ticket !== this.#join) return null;
		const held = this.#held;
		this.#held = null;
		if (joined?.events) for (const event of joined.events) this.#fold(event);
		else if (joined?.chat) this.#replace(joined.chat, joined.run);
		// Without an answer the next event shows the gap again.
		for (const event of joined ? held : []) this.handle(event);
		return failure;
	}

	#replace(chat: Chat, live: Parameters<typeof runFromSnapshot>[0] | null) {
		const { messages, active_run, ...head } = chat;
		this.tree = new Map(messages.map((message) => [message.id, message]));
		this.#deleted.clear();
		this.head = head;
		this.leafId = head.active_leaf_id ?? messages.at(-1)?.id ?? null;
		this.#setRun(live ? runFromSnapshot(live) : null);
		this.runSince = active_run?.started_at ? Date.parse(active_run.started_at) : null;
		this.#publish();
		this.failure = null;
		this.phase = 'ready';
		this.onReady();
	}

	#put(message: Message) {
		const isNew = !this.tree.has(message.id);
		this.tree = withMessage(this.tree, message);
		if (isNew) this.#showLeaf(message.id);
	}

	#remove(messageId: string) {
		const isNews = !this.#deleted.has(messageId);
		this.#deleted.add(messageId);
		const message = this.tree.get(messageId);
		// It may be far above what is here, which is gone then too.
		if (!message && isNews && !isWhole(this.tree)) return void this.join();
		const parent = message?.parent_id ?? null;
		this.tree = withoutMessage(this.tree, messageId);
		if (this.leafId && !this.tree.has(this.leafId))
			this.leafId = parent ? newestLeaf(this.tree, parent) : newestRootLeaf(this.tree);
	}

	/** A leaf that is not here yet is not shown: its message is on its way, or has to be asked for. */
	#showLeaf(messageId: string): boolean {
		const isHere = this.tree.has(messageId);
		if (isHere) this.leafId = messageId;
		return isHere;
	}

	#setRun(run: RunState | null) {
		this.#run = run;
	}

	#publish() {
		this.scheduler.cancel();
		this.run = this.#run;
	}
}
