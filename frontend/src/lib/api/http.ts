/**
 * Owns the REST calls of the page: one function a command, each answers or throws a `Failure`.
 * Does not retry, and keeps no state.
 */

import createClient from 'openapi-fetch';
import type { paths } from '$lib/types/contract';
import type {
	Chat,
	ChatPage,
	ContinueRun,
	CreateChat,
	Health,
	Labels,
	Message,
	MessagePage,
	ModelState,
	Preset,
	PresetDraft,
	RunStarted,
	RunStopped,
	SearchPage,
	ServedModels,
	StartRun,
	UpdateChat
} from '$lib/types/wire';
import { answer, healthOf } from './replies';

export interface Api {
	listChats(query: {
		limit?: number;
		cursor?: string;
		archived?: boolean;
		folder?: string;
		tag?: string;
	}): Promise<ChatPage>;
	/** The folders and tags of all chats. */
	labels(): Promise<Labels>;
	searchChats(
		query: { q: string; limit?: number; cursor?: string },
		signal?: AbortSignal
	): Promise<SearchPage>;
	/** With the whole tree of its messages. */
	getChat(chatId: string): Promise<Chat>;
	/** A page of the turns above a message, oldest first. */
	listMessages(chatId: string, query: { before: string; limit: number }): Promise<MessagePage>;
	createChat(body: CreateChat): Promise<Chat>;
	updateChat(chatId: string, changes: UpdateChat): Promise<Chat>;
	deleteChat(chatId: string): Promise<void>;
	restoreChat(chatId: string): Promise<Chat>;
	/** Asks the model for a title, behind all runs. */
	titleChat(chatId: string): Promise<Chat>;
	/** Takes every message out of a chat. */
	clearChat(chatId: string): Promise<Chat>;
	startRun(chatId: string, body: StartRun): Promise<RunStarted>;
	stopRun(runId: string, seenSeq?: number): Promise<RunStopped>;
	/** Goes on with an answer that was cut: a new run into the same message. */
	continueRun(runId: string, body: ContinueRun): Promise<RunStarted>;
	/** Ends the thinking now; the run goes on to the answer. */
	answerNow(runId: string): Promise<void>;
	updateMessage(chatId: string, messageId: string, content: string): Promise<Message>;
	deleteMessage(chatId: string, messageId: string): Promise<void>;
	forkChat(chatId: string, messageId: string): Promise<Chat>;
	presets(): Promise<Preset[]>;
	/** Without an id a new one. */
	savePreset(preset: PresetDraft, id?: string): Promise<Preset>;
	deletePreset(id: string): Promise<void>;
	models(): Promise<ServedModels>;
	modelState(name: string): Promise<ModelState>;
	/** The health report; 503 is an answer too. */
	health(): Promise<Health>;
}

/** A command that takes longer than this is taken as lost; sending it again is safe. */
const TIMEOUT_MS = 20_000;
/** A title is asked for behind all runs, and may wait for its turn. */
const TITLE_TIMEOUT_MS = 300_000;

/** @param base origin of the backend, empty for the page's own */
export function httpApi(base = ''): Api {
	const client = createClient<paths>({ baseUrl: base });
	const inTime = (signal?: AbortSignal) => {
		const timeout = AbortSignal.timeout(TIMEOUT_MS);
		return { signal: signal ? AbortSignal.any([signal, timeout]) : timeout };
	};
	const ofRun = (run_id: string) => ({ params: { path: { run_id } }, ...inTime() });
	const ofPreset = (preset_id: string) => ({ params: { path: { preset_id } }, ...inTime() });
	const ofMessage = (chat_id: string, message_id: string) => ({
		params: { path: { chat_id, message_id } },
		...inTime()
	});
	const ofChat = (chat_id: string) => ({ params: { path: { chat_id } }, ...inTime() });

	return {
		listChats: (query) => answer(client.GET('/api/chats/', { params: { query }, ...inTime() })),
		labels: () => answer(client.GET('/api/labels', inTime())),
		searchChats: (query, signal) =>
			answer(client.GET('/api/chats/search', { params: { query }, ...inTime(signal) }), signal),
		getChat: (id) => answer<Chat>(client.GET('/api/chats/{chat_id}', ofChat(id))),
		listMessages: (chat_id, query) =>
			answer<MessagePage>(
				client.GET('/api/chats/{chat_id}/messages', {
					params: { path: { chat_id }, query },
					...inTime()
				})
			),
		createChat: (body) => answer<Chat>(client.POST('/api/chats/', { body, ...inTime() })),
		updateChat: (id, body) =>
			answer<Chat>(client.PUT('/api/chats/{chat_id}', { body, ...ofChat(id) })),
		deleteChat: (id) => answer<undefined>(client.DELETE('/api/chats/{chat_id}', ofChat(id))),
		restoreChat: (id) => answer<Chat>(client.POST('/api/chats/{chat_id}/restore', ofChat(id))),
		titleChat: (chat_id) =>
			answer<Chat>(
				client.POST('/api/chats/{chat_id}/title', {
					params: { path: { chat_id } },
					signal: AbortSignal.timeout(TITLE_TIMEOUT_MS)
				})
			),
		clearChat: (chat_id) =>
			answer<Chat>(client.POST('/api/chat/clear', { body: { chat_id }, ...inTime() })),
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
		continueRun: (id, body) =>
			answer<RunStarted>(client.POST('/api/runs/{run_id}/continue', { body, ...ofRun(id) })),
		answerNow: (id) => answer<undefined>(client.POST('/api/runs/{run_id}/answer', ofRun(id))),
		updateMessage: (chatId, id, content) =>
			answer<Message>(
				client.PUT('/api/chats/{chat_id}/messages/{message_id}', {
					body: { content },
					...ofMessage(chatId, id)
				})
			),
		deleteMessage: (chatId, id) =>
			answer<undefined>(
				client.DELETE('/api/chats/{chat_id}/messages/{message_id}', ofMessage(chatId, id))
			),
		forkChat: (id, message_id) =>
			answer<Chat>(
				client.POST('/api/chats/{chat_id}/fork', { body: { message_id }, ...ofChat(id) })
			),
		presets: async () =>
			(await answer<{ items: Preset[] }>(client.GET('/api/presets', inTime()))).items,
		savePreset: (body, id) =>
			answer<Preset>(
				id === undefined
					? client.POST('/api/presets', { body, ...inTime() })
					: client.PUT('/api/presets/{preset_id}', { body, ...ofPreset(id) })
			),
		deletePreset: (id) =>
			answer<undefined>(client.DELETE('/api/presets/{preset_id}', ofPreset(id))),
		models: () => answer(client.GET('/api/chat/models', inTime())),
		modelState: (name) =>
			answer(client.GET('/api/models/{name}/status', { params: { path: { name } }, ...inTime() })),
		health: () => healthOf(client.GET('/api/chat/health', inTime()))
	};
}
