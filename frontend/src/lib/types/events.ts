/**
 * Owns the names of the facts that come down over the event stream.
 * Numbered ones belong to a run; the others go to every client of the user.
 */

import type { components } from './contract';
import type { Chat, Message, Problem, RunStatus } from './wire';

type Schemas = components['schemas'];

export type RunQueued = Schemas['RunQueuedEvent'];
export type RunBegan = Schemas['RunStartedEvent'];
export type RunDelta = Schemas['RunDeltaEvent'];
export type RunEnded = Omit<Schemas['RunEndedEvent'], 'message'> & { message: Message };
export type ChatChanged = Schemas['ChatChangedEvent'];
export type ChatDeleted = Schemas['ChatDeletedEvent'];
export type MessageChanged = Omit<Schemas['MessageChangedEvent'], 'message'> & { message: Message };
export type MessageDeleted = Schemas['MessageDeletedEvent'];

export type RunEvent = RunQueued | RunBegan | RunDelta | RunEnded;
export type UserEvent = ChatChanged | ChatDeleted | MessageChanged | MessageDeleted;
export type ServerEvent = RunEvent | UserEvent;

/** The chat an event is about; null where it tells none. */
export function chatOf(event: ServerEvent): string | null {
	switch (event.type) {
		case 'chat.changed':
			return event.chat.id;
		case 'message.changed':
			return event.message.chat_id;
		default:
			return event.chat_id;
	}
}

export const EVENT_TYPES = [
	'run.queued',
	'run.started',
	'run.delta',
	'run.ended',
	'chat.changed',
	'chat.deleted',
	'message.changed',
	'message.deleted'
] as const satisfies readonly ServerEvent['type'][];

/** A run that has not ended, whole, as of event `seq`. */
export interface LiveRun {
	run_id: string;
	message_id: string;
	status: RunStatus;
	content: string;
	reasoning: string;
	seq: number;
}

export interface JoinRequest {
	chat_id: string;
	run_id?: string;
	after_seq?: number;
	messages?: number;
}

export type Joined =
	| { ok: true; chat: Chat; run: LiveRun | null; events?: undefined }
	| { ok: true; events: RunEvent[]; chat?: undefined };

export type JoinReply = Joined | { ok: false; error: Problem };
