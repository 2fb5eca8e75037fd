/**
 * Owns the names of the facts that come down over the event stream.
 * Numbered ones belong to a run; the others go to every client of the user.
 */

import type { Channel, Chat, ChatSummary, Message, Outcome, Problem, RunStatus } from './wire';

interface Numbered {
	chat_id: string | null;
	run_id: string;
	message_id: string | null;
	seq: number;
}

export interface RunQueued extends Numbered {
	type: 'run.queued';
	position: number | null;
	reason: 'capacity' | 'engine_unavailable';
}

export interface RunBegan extends Numbered {
	type: 'run.started';
	model: string;
	parent_id: string | null;
	continued: number;
	continues: string | null;
}

export interface RunDelta extends Numbered {
	type: 'run.delta';
	channel: Channel;
	text: string;
}

export interface RunEnded extends Numbered {
	type: 'run.ended';
	outcome: Outcome;
	text_seq: number;
	message: Message;
}

export interface ChatChanged {
	type: 'chat.changed';
	chat: ChatSummary;
}

export interface ChatDeleted {
	type: 'chat.deleted';
	chat_id: string;
}

export interface MessageChanged {
	type: 'message.changed';
	message: Message;
}

export interface MessageDeleted {
	type: 'message.deleted';
	chat_id: string;
	message_id: string;
}

export type RunEvent = RunQueued | RunBegan | RunDelta | RunEnded;
export type UserEvent = ChatChanged | ChatDeleted | MessageChanged | MessageDeleted;
export type ServerEvent = RunEvent | UserEvent;

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
