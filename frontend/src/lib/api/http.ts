/**
 * Owns the REST calls of the page: one function a command, each answers or throws a `Failure`.
 * Does not retry, and keeps no state.
 */

import createClient from 'openapi-fetch';
import type { paths } from '$lib/types/contract';
import { Failure, type LocalCode } from '$lib/types/failure';
import type {
	Chat,
	ChatPage,
	CreateChat,
	Health,
	Problem,
	RunStarted,
	RunStopped,
	SearchPage,
	ServedModels,
	StartRun,
	UpdateChat
} from '$lib/types/wire';
import { isRecord } from '$lib/utils/storage';

export interface Api {
	listChats(query: { limit?: number; cursor?: string }): Promise<ChatPage>;
	searchChats(
		query: { q: string; limit?: number; cursor?: string },
		signal?: AbortSignal
	): Promise<SearchPage>;
	createChat(body: CreateChat): Promise<Chat>;
	updateChat(chatId: string, changes: UpdateChat): Promise<Chat>;
	deleteChat(chatId: string): Promise<void>;
	restoreChat(chatId: string): Promise<Chat>;
	startRun(chatId: string, body: StartRun): Promise<RunStarted>;
	stopRun(runId: string, seenSeq?: number): Promise<RunStopped>;
	models(): Promise<ServedModels>;
	/** The health report; 503 is an answer too. */
	health(): Promise<Health>;
}

/** A command that takes longer than this is taken as lost; sending it again is safe. */
const TIMEOUT_MS = 20_000;

/** @param base origin of the backend, empty for the page's own */
export function httpApi(base = ''): Api {
	const client = createClient<paths>({ baseUrl: base });
	const inTime = (signal?: AbortSignal) => {
		const timeout = AbortSignal.timeout(TIMEOUT_MS);
		return { signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
	};
	const ofChat = (chat_id: string) => ({ params: { path: { chat_id } }, ...inTime() });

	return {
		listChats: (query) => answer(client.GET('/api/chats/', { params: { query }, ...inTime() })),
		searchChats: (query, signal) =>
			answer(client.GET('/api/chats/search', { params: { query }, ...inTime(signal) }), signal),
		createChat: (body) => answer<Chat>(client.POST('/api/chats/', { body, ...inTime() })),
		updateChat: (id, body) =>
			answer<Chat>(client.PUT('/api/chats/{chat_id}', { body, ...ofChat(id) })),
		deleteChat: (id) => answer<undefined>(client.DELETE('/api/chats/{chat_id}', ofChat(id))),
		restoreChat: (id) => answer<Chat>(client.POST('/api/chats/{chat_id}/restore', ofChat(id))),
		startRun: (id, body) =>
			answer<RunStarted>(client.POST('/api/chats/{chat_id}/runs', { body, ...ofChat(id) })),
		stopRun: (run_id, seen_seq) =>
			answer(
				client.POST('/api/runs/{run_id}/stop', {
					params: { path: { run_id } },
					body: { seen_seq: seen_seq ?? null },
					...inTime()
				})
			),
		models: () => answer(client.GET('/api/chat/models', inTime())),
		health: () => health(client.GET('/api/chat/health', inTime()))
	};
}

interface Reply {
	data?: unknown;
	error?: unknown;
	response: Response;
}

/** The contract leaves a message's metadata open, hence the cast to the page's own shapes. */
async function answer<T>(call: Promise<Reply & { data?: unknown }>, signal?: AbortSignal) {
	const reply = await arrived(call, signal);
	if (reply.error === undefined && reply.response.ok) return reply.data as T;
	throw refusal(reply);
}

/** An unwell system answers 503 with its report. */
async function health(call: Promise<Reply>): Promise<Health> {
	const reply = await arrived(call);
	const body = reply.data ?? reply.error;
	if (isRecord(body) && isRecord(body.tiers)) return body as Health;
	throw refusal(reply);
}

async function arrived(call: Promise<Reply>, signal?: AbortSignal): Promise<Reply> {
	try {
		return await call;
	} catch (error) {
		if (signal?.aborted) throw error;
		throw new Failure(error instanceof SyntaxError ? 'unreadable_reply' : 'offline');
	}
}

function refusal({ error, response }: Reply): Failure {
	const after = Number(response.headers.get('Retry-After') ?? NaN);
	const retryAfterS = Number.isFinite(after) ? after : null;
	if (!isProblem(error)) {
		const code: LocalCode = response.status >= 502 ? 'backend_unavailable' : 'unreadable_reply';
		return new Failure(code, { status: response.status, retryAfterS });
	}
	return new Failure(error.code, {
		status: error.status,
		detail: error.detail,
		fields: error.errors ?? [],
		limit: error.limit ?? null,
		retryAfterS
	});
}

function isProblem(value: unknown): value is Problem {
	return isRecord(value) && typeof value.code === 'string' && typeof value.detail === 'string';
}
