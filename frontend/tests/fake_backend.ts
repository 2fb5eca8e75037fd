/**
 * Owns a backend in memory for tests of the page: the same commands and events as the real one.
 * The model is a hand: `delta`, `think`, `end`. It does not store, and knows no time.
 */

import type { Api } from '../src/lib/api/http';
import type { Realtime, RealtimeListener } from '../src/lib/api/socket';
import type { Joined, JoinRequest, RunEvent, ServerEvent } from '../src/lib/types/events';
import { Failure } from '../src/lib/types/failure';
import type {
	Channel,
	Chat,
	ChatSummary,
	Health,
	Message,
	Outcome,
	Preset,
	Run,
	SearchHit,
	ServedModels,
	StartRun
} from '../src/lib/types/wire';
import { newestLeaf, pathTo, withoutMessage } from '../src/lib/utils/path';
import { aChat, aMessage, aRun, nextTime } from './builders';

/** The health report with the engine in the given state. */
export const healthOf = (status: string, detail = '', fix: string | null = null): Health => ({
	status: status === 'ready' ? 'ok' : 'degraded',
	tiers: { backend: { status: 'ok', detail: 'It answers.' }, vllm: { status, detail, fix } },
	memory: {}
});

export class FakeBackend {
	readonly chats = new Map<string, Chat>();
	readonly presets = new Map<string, Preset>();
	readonly deleted = new Map<string, Chat>();
	readonly runs = new Map<string, { run: Run; events: RunEvent[] }>();
	/** What the page asked for, in order. */
	readonly calls: { name: string; args: unknown[] }[] = [];
	/** The next call of this name fails so, once. */
	readonly refusals = new Map<string, Failure>();
	hits: SearchHit[] = [];
	/** What the model calls a chat. */
	title = 'A good title';
	health: Health = healthOf('ready', 'Qwen3-0.6B');
	models: ServedModels = {
		items: [
			{ id: 'Qwen3-0.6B', status: 'ready', type: 'chat', max_model_len: 4096, note: null },
			{ id: 'org/Small', status: 'ready', type: 'chat', max_model_len: 4096, note: null }
		],
		default: 'Qwen3-0.6B'
	};
	/** How far a model is that is loading. */
	progress: number | null = null;
	pageSize = 50;
	isReachable = true;
	/** Set it to drop, hold or double events on their way. */
	wire: (event: ServerEvent) => void = (event) => {
		for (const tab of this.#tabs) if (isFor(tab, event)) tab.listener?.event(event);
	};
	readonly #tabs: Tab[] = [];

	readonly api: Api = {
		listChats: (query) =>
			this.#command('listChats', [query], () => {
				const { archived = false, folder, tag } = query;
				const all = this.#list(archived).filter(
					(chat) =>
						(folder === undefined || chat.folder === folder) &&
						(tag === undefined || chat.tags.includes(tag))
				);
				const from = query.cursor ? Number(query.cursor) : 0;
				const items = all.slice(from, from + this.pageSize);
				const next = from + this.pageSize;
				return { items, next_cursor: next < all.length ? String(next) : null };
			}),
		labels: () =>
			this.#command('labels', [], () => {
				const chats = [...this.chats.values()].filter(({ temporary }) => !temporary);
				return {
					folders: counted(chats, ({ folder }) => (folder ? [folder] : [])),
					tags: counted(chats, ({ tags }) => tags)
				};
			}),
		searchChats: (query) =>
			this.#command('searchChats', [query], () => {
				const from = query.cursor ? Number(query.cursor) : 0;
				const next = from + (query.limit ?? 20);
				const next_cursor = next < this.hits.length ? String(next) : null;
				return { items: this.hits.slice(from, next), next_cursor };
			}),
		getChat: (id) => this.#command('getChat', [id], () => this.chat(id)),
		listMessages: (id, query) =>
			this.#command('listMessages', [id, query], () => {
				const tree = treeOf(this.chat(id));
				const above = pathTo(tree, tree.get(query.before)?.parent_id ?? null);
				const items = above.slice(-query.limit);
				return { items, next_cursor: items[0]?.parent_id ? items[0].id : null };
			}),
		createChat: (body) =>
			this.#command('createChat', [body], () => {
				const id = body.id ?? crypto.randomUUID();
				const chat = this.chats.get(id) ?? aChat({ ...body, id, title: body.title ?? '' });
				this.put(chat);
				return this.chat(id);
			}),
		updateChat: (id, changes) =>
			this.#command('updateChat', [id, changes], () => {
				const chat = this.#known(id);
				const leaf = changes.active_leaf_id;
				const active_leaf_id = leaf ? newestLeaf(treeOf(chat), leaf) : chat.active_leaf_id;
				const set = Object.entries(changes).filter(([, value]) => value !== undefined);
				this.put({ ...chat, ...Object.fromEntries(set), active_leaf_id });
				return this.chat(id);
			}),
		deleteChat: (id) =>
			this.#command('deleteChat', [id], () => {
				this.deleted.set(id, this.#known(id));
				this.chats.delete(id);
				this.emit({ type: 'chat.deleted', chat_id: id });
			}),
		restoreChat: (id) =>
			this.#command('restoreChat', [id], () => {
				const chat = this.deleted.get(id);
				if (!chat) throw new Failure('chat_not_found', { status: 404 });
				this.put(chat);
				return this.chat(id);
			}),
		titleChat: (id) =>
			this.#command('titleChat', [id], () => {
				this.put({ ...this.#known(id), title: this.title });
				return this.chat(id);
			}),
		clearChat: (id) =>
			this.#command('clearChat', [id], () => {
				const chat = this.#known(id);
				const roots = chat.messages.filter(({ parent_id }) => parent_id === null);
				Object.assign(chat, { messages: [], active_leaf_id: null });
				for (const { id: message_id } of roots)
					this.emit({ type: 'message.deleted', chat_id: id, message_id });
				this.put(chat);
				return this.chat(id);
			}),
		startRun: (id, body) => this.#command('startRun', [id, body], () => this.#start(id, body)),
		stopRun: (id, seen) =>
			this.#command('stopRun', [id, seen], () => {
				this.end(id, 'stopped', {}, seen);
				const run = this.runs.get(id)?.run as Run;
				return { run, receipt: { confirmed: true, engine_released_ms: 38, tokens: 2 } };
			}),
		continueRun: (id, body) =>
			this.#command('continueRun', [id, body], () => this.#continue(id, body.run_id)),
		answerNow: (id) => this.#command('answerNow', [id], () => undefined),
		updateMessage: (id, messageId, content) =>
			this.#command('updateMessage', [id, messageId, content], () => {
				const message = this.#known(id).messages.find((other) => other.id === messageId);
				if (!message) throw new Failure('message_not_found', { status: 404 });
				Object.assign(message, { content, updated_at: nextTime() });
				this.emit({ type: 'message.changed', message });
				return message;
			}),
		deleteMessage: (id, messageId) =>
			this.#command('deleteMessage', [id, messageId], () => {
				const chat = this.#known(id);
				chat.messages = [...withoutMessage(treeOf(chat), messageId).values()];
				this.emit({ type: 'message.deleted', chat_id: id, message_id: messageId });
			}),
		forkChat: (id, messageId) =>
			this.#command('forkChat', [id, messageId], () => {
				const messages = pathTo(treeOf(this.#known(id)), messageId);
				this.put(aChat({ id: `${id}-fork`, messages, active_leaf_id: messageId }));
				return this.chat(`${id}-fork`);
			}),
		presets: () => this.#command('presets', [], () => [...this.presets.values()]),
		savePreset: (draft, id = crypto.randomUUID()) =>
			this.#command('savePreset', [draft, id], () => {
				this.presets.set(id, { ...draft, id });
				return { ...draft, id };
			}),
		deletePreset: (id) => this.#command('deletePreset', [id], () => void this.presets.delete(id)),
		models: () => this.#command('models', [], () => this.models),
		modelState: (name) =>
			this.#command('modelState', [name], () => ({
				status: 'loading' as const,
				progress: this.progress,
				detail: ''
			})),
		health: () => this.#command('health', [], () => this.health)
	};

	/** The connection of a page. */
	readonly realtime: Realtime = this.tab();

	/** A connection of its own, as another tab has. */
	tab(): Realtime {
		const tab: Tab = { listener: null, joined: new Set() };
		this.#tabs.push(tab);
		return {
			connect: (listener) => {
				tab.listener = listener;
				if (this.isReachable) listener.connected();
				return () => (tab.listener = null);
			},
			join: async (request) => {
				this.calls.push({ name: 'join', args: [request] });
				this.#mayFail('join');
				const joined = this.#join(request);
				tab.joined.add(request.chat_id);
				return joined;
			},
			leave: (id) => void tab.joined.delete(id),
			reconnectNow: () => this.goOnline()
		};
	}

	goOffline() {
		this.isReachable = false;
		for (const tab of this.#tabs) {
			tab.joined.clear();
			tab.listener?.disconnected();
		}
	}

	goOnline() {
		this.isReachable = true;
		for (const { listener } of this.#tabs) listener?.connected();
	}

	/** Makes or replaces a chat and tells everybody. */
	put(chat: Chat) {
		this.chats.set(chat.id, { ...chat, updated_at: nextTime() });
		this.emit({ type: 'chat.changed', chat: this.#summary(chat.id) });
	}

	chat(id: string): Chat {
		return structuredClone(this.#known(id));
	}

	/** What the model does next in a run. */
	begin = (runId: string, continued = 0) =>
		this.#publish(runId, {
			type: 'run.started',
			model: 'Qwen3-0.6B',
			parent_id: null,
			continued,
			continues: null
		});
	delta = (runId: string, text: string, channel: Channel = 'content') => {
		const message = this.#messageOf(runId);
		message[channel] += text;
		message.status = 'streaming';
		this.#publish(runId, { type: 'run.delta', channel, text });
	};
	think = (runId: string, text: string) => this.delta(runId, text, 'reasoning');
	queue = (runId: string, position: number | null, reason: 'capacity' | 'engine_unavailable') =>
		this.#publish(runId, { type: 'run.queued', position, reason });
	end(runId: string, outcome: Outcome, facts: Partial<Message> = {}, seen?: number) {
		const known = this.runs.get(runId);
		if (!known || known.run.ended_at) return;
		const message = this.#messageOf(runId);
		const text_seq = Math.min(seen ?? known.run.seq, known.run.seq);
		if (seen !== undefined)
			for (const channel of ['content', 'reasoning'] as const)
				message[channel] = known.events
					.filter((event) => event.type === 'run.delta' && event.channel === channel)
					.filter(({ seq }) => seq <= text_seq)
					.map((event) => (event.type === 'run.delta' ? event.text : ''))
					.join('');
		Object.assign(message, { status: outcome, updated_at: nextTime() }, facts);
		Object.assign(known.run, { status: outcome, ended_at: nextTime() });
		this.#known(known.run.chat_id).active_run = null;
		this.#publish(runId, {
			type: 'run.ended',
			outcome,
			text_seq,
			message: structuredClone(message)
		});
	}

	emit(event: ServerEvent) {
		const isHeard = this.#tabs.some((tab) => isFor(tab, event));
		if (this.isReachable && isHeard) this.wire(structuredClone(event));
	}

	/** The run that was started last. */
	get lastRun(): string {
		return [...this.runs.keys()].at(-1) ?? '';
	}

	callsOf(name: string): unknown[][] {
		return this.calls.filter((call) => call.name === name).map(({ args }) => args);
	}

	async #command<T>(name: string, args: unknown[], action: () => T): Promise<T> {
		this.calls.push({ name, args: structuredClone(args) });
		await null;
		this.#mayFail(name);
		return structuredClone(action());
	}

	#mayFail(name: string) {
		if (!this.isReachable) throw new Failure('offline');
		const refusal = this.refusals.get(name);
		this.refusals.delete(name);
		if (refusal) throw refusal;
	}

	#join({ chat_id, run_id, after_seq, messages }: JoinRequest): Joined {
		const chat = this.chat(chat_id);
		if (messages !== undefined)
			chat.messages = pathTo(treeOf(chat), chat.active_leaf_id).slice(-messages);
		const known = run_id ? this.runs.get(run_id) : undefined;
		if (known && after_seq !== undefined)
			return structuredClone({
				ok: true,
				events: known.events.filter(({ seq }) => seq > after_seq)
			});
		const live = chat.active_run;
		const message = live && chat.messages.find(({ id }) => id === live.message_id);
		if (!live || !message) return { ok: true, chat, run: null };
		const { content, reasoning } = message;
		const { id: run, message_id, status, seq } = live;
		return { ok: true, chat, run: { run_id: run, message_id, status, content, reasoning, seq } };
	}

	#start(chatId: string, { run_id, message, parent_id, options }: StartRun) {
		const chat = this.#known(chatId);
		const id = run_id ?? crypto.randomUUID();
		const known = this.runs.get(id);
		if (known) {
			const assistant = this.#messageOf(id);
			const user = chat.messages.find((other) => other.id === assistant.parent_id) ?? null;
			return { run: known.run, user_message: user, assistant_message: assistant };
		}
		const parent = parent_id === undefined ? chat.active_leaf_id : parent_id;
		const user = message
			? this.#add(chat, {
					id: message.id ?? crypto.randomUUID(),
					content: message.content,
					parent_id: parent,
					role: 'user'
				})
			: null;
		const assistant = this.#add(chat, {
			parent_id: user?.id ?? parent,
			role: 'assistant',
			status: 'queued',
			metadata: { options: options ?? {}, run_id: id }
		});
		const run = aRun({ id, message_id: assistant.id, chat_id: chatId });
		this.runs.set(id, { run, events: [] });
		chat.active_run = run;
		chat.active_leaf_id = assistant.id;
		chat.title ||= message?.content.split('\n')[0]?.slice(0, 50) ?? '';
		this.put(chat);
		return { run, user_message: user, assistant_message: assistant };
	}

	#continue(runId: string, chosen?: string | null) {
		const id = chosen ?? crypto.randomUUID();
		const before = this.runs.get(runId)?.run;
		const chat = [...this.chats.values()].find(({ messages }) =>
			messages.some(({ metadata }) => metadata.run_id === runId)
		);
		const message = chat?.messages.find(({ metadata }) => metadata.run_id === runId);
		if (!chat || !message) throw new Failure('run_not_found', { status: 404 });
		const run = aRun({
			id,
			message_id: message.id,
			chat_id: chat.id,
			continues: before?.id ?? runId
		});
		this.runs.set(id, { run, events: [] });
		chat.active_run = run;
		Object.assign(message, { status: 'queued', updated_at: nextTime() });
		message.metadata = { ...message.metadata, run_id: id };
		this.emit({ type: 'message.changed', message });
		return { run, user_message: null, assistant_message: message };
	}

	#add(chat: Chat, facts: Partial<Message>): Message {
		const message = aMessage({ id: crypto.randomUUID(), ...facts, chat_id: chat.id });
		const siblings = chat.messages.filter(({ parent_id }) => parent_id === message.parent_id);
		message.sibling_ids = [...siblings.map(({ id }) => id), message.id];
		for (const sibling of siblings) sibling.sibling_ids = message.sibling_ids;
		chat.messages.push(message);
		this.emit({ type: 'message.changed', message });
		return message;
	}

	#publish(runId: string, facts: object) {
		const known = this.runs.get(runId);
		if (!known) throw new Error(`no run ${runId}`);
		known.run.seq += 1;
		if (!known.run.ended_at && 'type' in facts && facts.type !== 'run.queued')
			known.run.status = 'streaming';
		const { chat_id, message_id, seq } = known.run;
		const event = { chat_id, run_id: runId, message_id, seq, ...facts } as RunEvent;
		known.events.push(structuredClone(event));
		this.emit(event);
	}

	#messageOf(runId: string): Message {
		const run = this.runs.get(runId)?.run;
		const chat = run && this.#known(run.chat_id);
		const message = chat?.messages.find(({ id }) => id === run?.message_id);
		if (!message) throw new Error(`no message for run ${runId}`);
		return message;
	}

	#known(id: string): Chat {
		const chat = this.chats.get(id);
		if (!chat) throw new Failure('chat_not_found', { status: 404 });
		return chat;
	}

	#summary(id: string): ChatSummary {
		const { messages, active_run, system_prompt: _, ...head } = this.#known(id);
		return { ...head, message_count: messages.length, active_run_id: active_run?.id ?? null };
	}

	#list(archived: boolean): ChatSummary[] {
		return [...this.chats.keys()]
			.map((id) => this.#summary(id))
			.filter((chat) => chat.archived === archived)
			.sort(
				(one, other) =>
					Number(other.pinned) - Number(one.pinned) || (one.updated_at < other.updated_at ? 1 : -1)
			);
	}
}

function counted(chats: Chat[], namesOf: (chat: Chat) => string[]) {
	const names = [...new Set(chats.flatMap(namesOf))].sort();
	return names.map((name) => {
		const under = chats.filter((chat) => namesOf(chat).includes(name));
		return { name, chats: under.length, archived: under.filter((chat) => chat.archived).length };
	});
}

interface Tab {
	listener: RealtimeListener | null;
	joined: Set<string>;
}

/** Numbered events go to who has the chat open. */
const isFor = ({ joined }: Tab, event: ServerEvent) =>
	!('seq' in event) || joined.has(event.chat_id ?? '');

const treeOf = (chat: Chat) => new Map(chat.messages.map((message) => [message.id, message]));
