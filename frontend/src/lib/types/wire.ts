/**
 * Owns the page's names for what the contract describes; the shapes are generated from it.
 * Describes by hand only what the contract leaves open: a message's metadata.
 */

import type { components } from './contract';

type Schemas = components['schemas'];
type With<Shape, Fields> = Omit<Shape, keyof Fields> & Fields;

export type Problem = Schemas['Problem'];
export type ErrorCode = Problem['code'];
export type FieldError = Schemas['FieldError'];
export type Options = Schemas['Options'];
export type Receipt = Schemas['Receipt'];
export type Run = Schemas['Run'];
export type RunError = Schemas['RunError'];
export type RunStatus = Run['status'];
export type Channel = Schemas['RunDeltaEvent']['channel'];
export type Outcome = Schemas['RunEndedEvent']['outcome'];
export type CreateChat = Schemas['CreateChat'];
export type UpdateChat = Schemas['UpdateChat'];
export type StartRun = Schemas['StartRun'];
export type ContinueRun = Schemas['ContinueRun'];
export type Params = Schemas['Params'];
export type RunStopped = Schemas['RunStopped'];
export type ChatSummary = Schemas['ChatSummary'];
export type ChatPage = Schemas['ChatPage'];
/** A folder or a tag, with its number of chats. */
export type Label = Schemas['Label'];
/** The folders and tags of the user's chats. */
export type Labels = Schemas['Labels'];
export type SearchHit = Schemas['SearchHit'];
export type SearchPage = Schemas['SearchPage'];
export type Health = Schemas['Health'];
export type TierHealth = Schemas['Tier'];
export type ModelState = Schemas['ModelState'];
export type ServedModels = Schemas['ServedModels'];
/** How many chats and messages of a file are new, and what was left out of it. */
export type Imported = Schemas['Imported'];

/** The engine's `usage`, passed on as it reports it. */
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

/** Each is left out where there is none. */
export interface MessageMetadata {
	usage?: Usage;
	timings?: Timings;
	finish_reason?: string;
	error?: RunError;
	receipt?: Receipt;
	continued?: number;
	options?: Options;
	/** The newest run that wrote into this message. */
	run_id?: string;
	/** So many of the oldest messages were left out of the prompt, so that the rest fitted. */
	dropped_turns?: number;
}

export type Message = With<Schemas['Message'], { metadata: MessageMetadata }>;
export type Role = Message['role'];
export type Chat = With<Schemas['Chat'], { messages: Message[] }>;
export type MessagePage = With<Schemas['MessagePage'], { items: Message[] }>;
export type RunStarted = With<
	Schemas['RunStarted'],
	{ user_message: Message | null; assistant_message: Message }
>;

/** A prompt with `{{variables}}` and the options that go with it. */
export type Preset = Schemas['Preset'];
export type PresetDraft = Omit<Preset, 'id'>;
