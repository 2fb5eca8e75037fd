/** Owns making wire objects for tests, complete and plausible. */

import type { Chat, ChatSummary, Message, Run } from '../src/lib/types/wire';

let clock = Date.UTC(2026, 10, 21);

/** A later moment each time, as the server's clock gives. */
export const nextTime = (): string => {
	clock += 1000;
	return new Date(clock).toISOString().replace('Z', '000Z');
};

export function aMessage(facts: Partial<Message> & { id: string }): Message {
	const at = nextTime();
	return {
		chat_id: 'chat',
		parent_id: null,
		sibling_ids: [facts.id],
		role: 'user',
		content: '',
		reasoning: '',
		model: null,
		status: 'completed',
		metadata: {},
		timestamp: Math.floor(Date.parse(at) / 1000),
		created_at: at,
		updated_at: at,
		...facts
	};
}

export function aSummary(facts: Partial<ChatSummary> & { id: string }): ChatSummary {
	const at = nextTime();
	return {
		title: '',
		user_id: 'local',
		model: null,
		temperature: null,
		max_tokens: null,
		params: {},
		pinned: false,
		archived: false,
		temporary: false,
		tags: [],
		folder: null,
		active_leaf_id: null,
		created_at: at,
		updated_at: at,
		message_count: 0,
		active_run_id: null,
		...facts
	};
}

export function aChat(facts: Partial<Chat> & { id: string }): Chat {
	const { message_count: _, active_run_id: __, ...fields } = aSummary({ id: facts.id });
	return { ...fields, system_prompt: null, messages: [], active_run: null, ...facts };
}

export function aRun(facts: Partial<Run> & { id: string; message_id: string }): Run {
	return {
		chat_id: 'chat',
		model: 'model',
		status: 'queued',
		seq: 0,
		position: null,
		error: null,
		continues: null,
		created_at: nextTime(),
		started_at: null,
		ended_at: null,
		...facts
	};
}
