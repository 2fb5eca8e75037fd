/**
 * Owns how the events of a run fold into what the page shows of it: `reduce(state, event)`.
 * Pure; does not fetch what is missing, it only says that something is.
 */

import type { LiveRun, RunEvent } from '$lib/types/events';
import type { Channel, Message, Outcome } from '$lib/types/wire';

export type RunPhase = 'queued' | 'streaming' | 'stopping' | 'ended';

export interface RunState {
	readonly runId: string;
	readonly messageId: string;
	readonly phase: RunPhase;
	/** The last event folded in; 0 before the first. */
	readonly seq: number;
	readonly content: string;
	readonly reasoning: string;
	/** Characters of `content` that were there before this page followed the run. */
	readonly followedFrom: number;
	/** The channel of the last delta: `reasoning` while the model thinks. */
	readonly channel: Channel | null;
	readonly position: number | null;
	readonly reason: 'capacity' | 'engine_unavailable' | null;
	/** How often it went on after a crash. */
	readonly continued: number;
	readonly outcome: Outcome | null;
	/** The stored message, once the run has ended. */
	readonly message: Message | null;
}

/** What became of an event. After a `gap` the client has to join again. */
export type Step =
	| { verdict: 'applied'; state: RunState }
	| { verdict: 'duplicate'; state: RunState }
	| { verdict: 'gap'; state: RunState };

/** A run before its first event; its message may already hold text that it continues. */
export function runBefore(
	runId: string,
	message: Pick<Message, 'id' | 'content' | 'reasoning'>
): RunState {
	return {
		runId,
		messageId: message.id,
		phase: 'queued',
		seq: 0,
		content: message.content,
		reasoning: message.reasoning,
		followedFrom: message.content.length,
		channel: null,
		position: null,
		reason: null,
		continued: 0,
		outcome: null,
		message: null
	};
}

/** A run as the server tells it on joining. */
export function runFromSnapshot(live: LiveRun): RunState {
	const before = runBefore(live.run_id, {
		id: live.message_id,
		content: live.content,
		reasoning: live.reasoning
	});
	return {
		...before,
		phase: live.status === 'queued' ? 'queued' : 'streaming',
		seq: live.seq,
		channel: live.content ? 'content' : live.reasoning ? 'reasoning' : null
	};
}

/** The reader asked to stop: the text stays as it was seen, while the rest is still counted. */
export function stopping(state: RunState): RunState {
	return state.phase === 'ended' ? state : { ...state, phase: 'stopping' };
}

export function reduce(state: RunState, event: RunEvent): Step {
	if (event.seq <= state.seq) return { verdict: 'duplicate', state };
	if (event.seq !== state.seq + 1) return { verdict: 'gap', state };
	return { verdict: 'applied', state: fold({ ...state, seq: event.seq }, event) };
}

function fold(state: RunState, event: RunEvent): RunState {
	if (state.phase === 'stopping' && event.type !== 'run.ended') return state;
	switch (event.type) {
		case 'run.queued':
			return { ...state, phase: 'queued', position: event.position, reason: event.reason };
		case 'run.started':
			return {
				...state,
				phase: 'streaming',
				position: null,
				reason: null,
				continued: event.continued
			};
		case 'run.delta':
			return {
				...state,
				phase: 'streaming',
				channel: event.channel,
				[event.channel]: state[event.channel] + event.text
			};
		case 'run.ended':
			return {
				...state,
				phase: 'ended',
				position: null,
				reason: null,
				outcome: event.outcome,
				content: event.message.content,
				reasoning: event.message.reasoning,
				message: event.message
			};
	}
}
