/**
 * Owns the names of what travels between the page and the backend.
 * Holds no behaviour. Shapes follow the contract; times are ISO 8601 UTC, ids UUID strings.
 */

export type Role = 'system' | 'user' | 'assistant';
export type Outcome = 'completed' | 'stopped' | 'interrupted' | 'failed';
export type RunStatus = 'queued' | 'streaming' | Outcome;
export type Channel = 'content' | 'reasoning';

export interface Options {
	model?: string | null;
	thinking?: boolean | null;
	thinking_budget?: number | null;
	temperature?: number | null;
	top_p?: number | null;
	top_k?: number | null;
	min_p?: number | null;
	presence_penalty?: number | null;
	frequency_penalty?: number | null;
	repetition_penalty?: number | null;
	max_tokens?: number | null;
	seed?: number | null;
	stop?: string[] | null;
	context?: 'refuse' | 'drop_oldest' | null;
}

export interface RunError {
	code: ErrorCode;
	detail: string;
}

export interface Receipt {
	confirmed: boolean;
	engine_released_ms: number | null;
	tokens: number | null;
}

export interface Usage {
	prompt_tokens?: number;
	completion_tokens?: number;
	total_tokens?: number;
	prompt_tokens_details?: { cached_tokens?: number | null } | null;
	completion_tokens_details?: { reasoning_tokens?: number | null } | null;
}

/** The engine's own figures, in milliseconds but for `tokens_per_second`. */
export interface Timings {
	time_to_first_token_ms?: number | null;
	generation_time_ms?: number | null;
	queue_time_ms?: number | null;
	mean_itl_ms?: number | null;
	tokens_per_second?: number | null;
	thinking_ms?: number | null;
}

export interface MessageMetadata {
	usage?: Usage;
	timings?: Timings;
	finish_reason?: string;
	error?: RunError;
	receipt?: Receipt;
	continued?: number;
	options?: Options;
}

export interface Message {
	id: string;
	chat_id: string | null;
	parent_id: string | null;
	sibling_ids: string[];
	role: Role;
	content: string;
	reasoning: string;
	model: string | null;
	status: RunStatus;
	metadata: MessageMetadata;
	timestamp: number;
	created_at: string;
	updated_at: string;
}

export interface Run {
	id: string;
	chat_id: string;
	message_id: string;
	model: string | null;
	status: RunStatus;
	seq: number;
	position: number | null;
	error: RunError | null;
	continues: string | null;
	created_at: string;
	started_at: string | null;
	ended_at: string | null;
}

interface ChatFields {
	id: string;
	title: string;
	user_id: string;
	model: string | null;
	temperature: number | null;
	max_tokens: number | null;
	params: Options;
	pinned: boolean;
	archived: boolean;
	temporary: boolean;
	tags: string[];
	folder: string | null;
	active_leaf_id: string | null;
	created_at: string;
	updated_at: string;
}

export interface Chat extends ChatFields {
	system_prompt: string | null;
	messages: Message[];
	active_run: Run | null;
}

export interface ChatSummary extends ChatFields {
	message_count: number;
	active_run_id: string | null;
}

export interface ChatPage {
	items: ChatSummary[];
	next_cursor: string | null;
}

export interface SearchHit {
	chat: ChatSummary;
	message_id: string | null;
	role: Role | null;
	snippet: string;
}

export interface SearchPage {
	items: SearchHit[];
	next_cursor: string | null;
}

export interface CreateChat {
	id?: string;
	title?: string | null;
	model?: string | null;
	system_prompt?: string | null;
	temperature?: number | null;
	max_tokens?: number | null;
}

export interface UpdateChat {
	title?: string;
	model?: string | null;
	system_prompt?: string | null;
	temperature?: number | null;
	max_tokens?: number | null;
	pinned?: boolean;
	active_leaf_id?: string;
}

export interface StartRun {
	run_id?: string;
	message?: { id?: string; content: string };
	parent_id?: string | null;
	options?: Options;
}

export interface RunStarted {
	run: Run;
	user_message: Message | null;
	assistant_message: Message;
}

export interface RunStopped {
	run: Run;
	receipt: Receipt | null;
}

export interface FieldError {
	field: string;
	code: string;
	detail: string;
}

export interface Problem {
	type: string;
	title: string;
	status: number;
	detail: string;
	code: ErrorCode;
	request_id: string;
	errors?: FieldError[] | null;
	limit?: number | null;
}

export type ErrorCode =
	| 'invalid_request'
	| 'malformed_json'
	| 'not_found'
	| 'chat_not_found'
	| 'message_not_found'
	| 'run_not_found'
	| 'model_not_found'
	| 'method_not_allowed'
	| 'id_conflict'
	| 'stale'
	| 'body_too_large'
	| 'message_too_large'
	| 'max_tokens_too_large'
	| 'unsupported_media_type'
	| 'host_not_allowed'
	| 'origin_not_allowed'
	| 'run_active'
	| 'run_log_gone'
	| 'nothing_to_continue'
	| 'has_children'
	| 'not_thinking'
	| 'not_a_user_message'
	| 'too_many_runs'
	| 'too_many_sockets'
	| 'too_many_requests'
	| 'chat_full'
	| 'unauthorized'
	| 'forbidden'
	| 'engine_unavailable'
	| 'engine_error'
	| 'engine_lost'
	| 'engine_idle'
	| 'engine_malformed'
	| 'first_token_timeout'
	| 'run_timeout'
	| 'context_too_long'
	| 'model_unavailable'
	| 'engine_unauthorized'
	| 'storage_busy'
	| 'storage_full'
	| 'storage_unavailable'
	| 'shutting_down'
	| 'internal_error';

export interface TierHealth {
	status: string;
	detail?: string | null;
	fix?: string | null;
}

export interface Health {
	status: string;
	tiers: Record<string, TierHealth>;
}

export interface ServedModel {
	id: string;
	status: string;
	type?: string | null;
	max_model_len?: number | null;
}

export interface ServedModels {
	items: ServedModel[];
	default: string | null;
}
