/**
 * Owns the REST calls of the page: one function a command, each answers or throws a `Failure`.
 * Does not retry, and keeps no state.
 */

import { Failure, type LocalCode } from '$lib/types/failure';
import type {
	Chat,
	ChatPage,
	ChatSummary,
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
	restoreChat(chatId: string): Promise<Chat | ChatSummary>;
	startRun(chatId: string, body: StartRun): Promise<RunStarted>;
	stopRun(runId: string, seenSeq?: number): Promise<RunStopped>;
	models(): Promise<ServedModels>;
	/** The health report; 503 is an answer too. */
	health(): Promise<Health>;
}

/** A command that takes longer than this is taken as lost; sending it again is safe. */
const TIMEOUT_MS = 20_000;

interface Call {
	method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
	body?: unknown;
	query?: Record<string, string | number | undefined>;
	signal?: AbortSignal | undefined;
	/** Recognises an answer that comes with an error status. */
	accept?: (body: unknown) => boolean;
}

/** @param base origin of the backend, empty for the page's own */
export function httpApi(base = '', fetcher: typeof fetch = (...call) => fetch(...call)): Api {
	const call = async <T>(path: string, options: Call = {}): Promise<T> => {
		const response = await send(fetcher, base + path + queryString(options.query), options);
		if (response.status === 204) return undefined as T;
		const body = await readJson(response);
		if (response.ok || options.accept?.(body)) return body as T;
		throw refusal(response, body);
	};
	const at = (id: string) => encodeURIComponent(id);

	return {
		listChats: (query) => call('/api/chats/', { query }),
		searchChats: (query, signal) => call('/api/chats/search', { query, signal }),
		createChat: (body) => call('/api/chats/', { method: 'POST', body }),
		updateChat: (id, body) => call(`/api/chats/${at(id)}`, { method: 'PUT', body }),
		deleteChat: (id) => call(`/api/chats/${at(id)}`, { method: 'DELETE' }),
		restoreChat: (id) => call(`/api/chats/${at(id)}/restore`, { method: 'POST' }),
		startRun: (id, body) => call(`/api/chats/${at(id)}/runs`, { method: 'POST', body }),
		stopRun: (id, seen_seq) =>
			call(`/api/runs/${at(id)}/stop`, { method: 'POST', body: { seen_seq } }),
		models: () => call('/api/chat/models'),
		health: () => call('/api/chat/health', { accept: isHealth })
	};
}

async function send(fetcher: typeof fetch, url: string, options: Call): Promise<Response> {
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
	try {
		return await fetcher(url, {
			method: options.method ?? 'GET',
			signal,
			headers: options.body === undefined ? {} : { 'Content-Type': 'application/json' },
			...(options.body === undefined ? {} : { body: JSON.stringify(options.body) })
		});
	} catch (error) {
		if (options.signal?.aborted) throw error;
		throw new Failure('offline');
	}
}

async function readJson(response: Response): Promise<unknown> {
	try {
		return await response.json();
	} catch {
		if (response.ok) throw new Failure('unreadable_reply', { status: response.status });
		return null;
	}
}

const isHealth = (body: unknown): boolean => isRecord(body) && isRecord(body.tiers);

function refusal(response: Response, body: unknown): Failure {
	const after = Number(response.headers.get('Retry-After') ?? NaN);
	const retryAfterS = Number.isFinite(after) ? after : null;
	if (!isProblem(body)) {
		const code: LocalCode = response.status >= 502 ? 'backend_unavailable' : 'unreadable_reply';
		return new Failure(code, { status: response.status, retryAfterS });
	}
	return new Failure(body.code, {
		status: body.status,
		detail: body.detail,
		fields: body.errors ?? [],
		limit: body.limit ?? null,
		retryAfterS
	});
}

export function isProblem(value: unknown): value is Problem {
	return isRecord(value) && typeof value.code === 'string' && typeof value.detail === 'string';
}

function queryString(query: Call['query'] = {}): string {
	const params = new URLSearchParams();
	for (const [name, value] of Object.entries(query))
		if (value !== undefined) params.set(name, String(value));
	const text = params.toString();
	return text && `?${text}`;
}
