/**
 * Owns what each failure is called and what to do about it, in the page's language.
 * The table is complete by its type: a new code does not compile without its sentences.
 */

import type { Failure, FailureCode } from '$lib/types/failure';
import type { RunError } from '$lib/types/wire';
import { inOwnWords } from './backend_words';
import { t, type MessageKey } from './language.svelte';
import { formatCount } from './numbers';

interface Sentences {
	/** What happened. */
	cause: MessageKey;
	/** What to do next, where something can be done. */
	next?: MessageKey;
	/** Show the backend's own sentence too: it says more than the code. */
	withDetail?: boolean;
}

export const FAILURES: Record<FailureCode, Sentences> = {
	invalid_request: { cause: 'error.invalid_request', withDetail: true },
	malformed_json: { cause: 'error.page_bug', next: 'error.next.reload' },
	not_found: { cause: 'error.not_found' },
	chat_not_found: { cause: 'error.chat_not_found' },
	message_not_found: { cause: 'error.message_not_found', next: 'error.next.reload' },
	preset_not_found: { cause: 'error.preset_not_found', next: 'error.next.reload' },
	import_not_recognised: { cause: 'error.import_not_recognised', withDetail: true },
	too_many_presets: { cause: 'error.too_many_presets', next: 'error.next.delete_presets' },
	run_not_found: { cause: 'error.run_not_found', next: 'error.next.reload' },
	model_not_found: { cause: 'error.model_not_found', next: 'error.next.choose_model' },
	method_not_allowed: { cause: 'error.page_bug', next: 'error.next.reload' },
	id_conflict: { cause: 'error.id_conflict', next: 'error.next.reload' },
	stale: { cause: 'error.stale', next: 'error.next.again' },
	body_too_large: { cause: 'error.message_too_large', next: 'error.next.shorten' },
	message_too_large: { cause: 'error.message_too_large', next: 'error.next.shorten' },
	max_tokens_too_large: { cause: 'error.max_tokens_too_large', next: 'error.next.settings' },
	unsupported_media_type: { cause: 'error.page_bug', next: 'error.next.reload' },
	host_not_allowed: { cause: 'error.host_not_allowed', next: 'error.next.host' },
	origin_not_allowed: { cause: 'error.origin_not_allowed', next: 'error.next.origin' },
	run_active: { cause: 'error.run_active', next: 'error.next.wait_or_stop' },
	run_log_gone: { cause: 'error.run_log_gone', next: 'error.next.reload' },
	nothing_to_continue: { cause: 'error.nothing_to_continue' },
	has_children: { cause: 'error.has_children' },
	not_thinking: { cause: 'error.not_thinking' },
	not_a_user_message: { cause: 'error.not_a_user_message' },
	too_many_runs: { cause: 'error.too_many_runs', next: 'error.next.wait' },
	too_many_sockets: { cause: 'error.too_many_sockets', next: 'error.next.close_tabs' },
	too_many_requests: { cause: 'error.too_many_requests', next: 'error.next.wait' },
	too_many_chats: { cause: 'error.too_many_chats', next: 'error.next.delete_chats' },
	chat_full: { cause: 'error.chat_full', next: 'error.next.new_chat' },
	unauthorized: { cause: 'error.unauthorized', next: 'error.next.reload' },
	forbidden: { cause: 'error.forbidden' },
	engine_unavailable: { cause: 'error.engine_unavailable', next: 'error.next.engine' },
	engine_error: { cause: 'error.engine_error', next: 'error.next.again', withDetail: true },
	engine_lost: { cause: 'error.engine_lost', next: 'error.next.again' },
	engine_idle: { cause: 'error.engine_idle', next: 'error.next.again' },
	engine_malformed: { cause: 'error.engine_malformed', next: 'error.next.engine_log' },
	first_token_timeout: { cause: 'error.first_token_timeout', next: 'error.next.again' },
	run_timeout: { cause: 'error.run_timeout', next: 'error.next.again' },
	context_too_long: {
		cause: 'error.context_too_long',
		next: 'error.next.new_chat_or_shorten',
		withDetail: true
	},
	model_unavailable: { cause: 'error.model_unavailable', next: 'error.next.choose_model' },
	engine_unauthorized: { cause: 'error.engine_unauthorized', next: 'error.next.api_key' },
	storage_busy: { cause: 'error.storage_busy', next: 'error.next.again' },
	storage_full: { cause: 'error.storage_full', next: 'error.next.disk' },
	storage_unavailable: { cause: 'error.storage_unavailable', next: 'error.next.again' },
	shutting_down: { cause: 'error.shutting_down', next: 'error.next.moment' },
	internal_error: { cause: 'error.internal_error', next: 'error.next.again' },
	backend_unavailable: { cause: 'error.backend_unavailable', next: 'error.next.backend' },
	import_too_large: { cause: 'transfer.too_large' },
	offline: { cause: 'error.offline', next: 'error.next.online' },
	unreadable_reply: { cause: 'error.unreadable_reply', next: 'error.next.again' }
};

export interface FailureText {
	cause: string;
	next: string | null;
	detail: string | null;
}

export function failureText(failure: Failure | RunError): FailureText {
	const limit = 'limit' in failure ? failure.limit : null;
	// A newer backend may know codes that this page does not.
	const sentences = FAILURES[failure.code] ?? FAILURES.internal_error;
	const detail = 'detail' in failure ? failure.detail : failure.message;
	const cause = t(sentences.cause, { limit: limit === null ? '?' : formatCount(limit) });
	const more = sentences.withDetail && detail ? inOwnWords(detail) : null;
	return {
		cause,
		next: sentences.next ? t(sentences.next) : null,
		detail: more === cause ? null : more
	};
}
