/**
 * Owns the wiring of the page: makes the stores, hands events to them, opens chats.
 * Does not hold state of its own but which chat is open.
 */

import { getContext, setContext } from 'svelte';
import { httpApi, type Api } from '$lib/api/http';
import { socketRealtime, type Realtime } from '$lib/api/socket';
import type { ServerEvent } from '$lib/types/events';
import { newId } from '$lib/utils/id';
import { browserStorage, type KeyValueStore } from '$lib/utils/storage';
import { ChatStore } from './chat.svelte';
import { ChatsStore } from './chats.svelte';
import { ChatCommands } from './commands.svelte';
import { ConnectionStore } from './connection.svelte';
import { Drafts } from './drafts';
import { EngineStore } from './engine.svelte';
import { PresetsStore } from './presets.svelte';
import { frameScheduler } from './scheduler';
import { SearchStore } from './search.svelte';
import { SettingsStore } from './settings.svelte';
import { UnsentMessages } from './unsent';

export interface OpenChat {
	store: ChatStore;
	commands: ChatCommands;
}

/** The dialogs of the whole page; one is open at a time. */
export type DialogName = 'settings' | 'presets' | 'palette' | 'shortcuts';

export interface Ports {
	api: Api;
	realtime: Realtime;
	storage: KeyValueStore;
}

export class AppStore {
	readonly connection = new ConnectionStore();
	readonly settings: SettingsStore;
	readonly chats: ChatsStore;
	readonly search: SearchStore;
	/** The palette's own search: what is written in the sidebar stays. */
	readonly finder: SearchStore;
	readonly presets: PresetsStore;
	readonly engine: EngineStore;
	dialog = $state<DialogName | null>(null);
	readonly drafts: Drafts;
	readonly #unsent: UnsentMessages;
	#open = $state.raw<OpenChat | null>(null);

	constructor(private readonly ports: Ports) {
		this.settings = new SettingsStore(ports.storage);
		this.chats = new ChatsStore(ports.api);
		this.search = new SearchStore(ports.api);
		this.finder = new SearchStore(ports.api);
		this.presets = new PresetsStore(ports.api);
		this.engine = new EngineStore(ports.api);
		this.drafts = new Drafts(ports.storage);
		this.#unsent = new UnsentMessages(ports.storage);
	}

	get open(): OpenChat | null {
		return this.#open;
	}

	/** Connects and follows the server until the returned function is called. */
	start(): () => void {
		const disconnect = this.ports.realtime.connect({
			connected: () => this.#connected(),
			disconnected: () => this.connection.disconnected(),
			event: (event) => this.#handle(event)
		});
		const unwatch = this.engine.watch();
		const onStorage = () => {
			this.settings.reload();
			this.#open?.commands.outbox.reload();
		};
		addEventListener('storage', onStorage);
		void this.chats.load();
		return () => {
			removeEventListener('storage', onStorage);
			unwatch();
			disconnect();
			this.connection.dispose();
			this.#leave();
		};
	}

	/** Opens a chat by its id, or a new one for null. The chat that is open already stays as it is. */
	show(chatId: string | null) {
		if (chatId !== null && chatId === this.#open?.store.id) return;
		if (chatId === null && this.#open && isUntouched(this.#open)) return;
		this.#leave();
		const id = chatId ?? newId();
		const isNew = chatId === null || this.#unsent.of(id).some((unsent) => unsent.newChat !== null);
		const store = new ChatStore(
			id,
			isNew ? 'new' : 'loading',
			this.ports.realtime,
			frameScheduler()
		);
		const thinks = () => this.settings.values.thinking;
		const commands = new ChatCommands(store, this.ports.api, this.#unsent, thinks);
		this.#open = { store, commands };
		if (!isNew) void store.join();
	}

	/** Whether the new chat that is open is to be kept in memory alone. */
	get isTemporary(): boolean {
		const open = this.#open;
		return Boolean(open && (open.store.head?.temporary ?? open.commands.newChat.temporary));
	}

	/** Begins a new chat, which is kept or not. */
	begin({ isTemporary }: { isTemporary: boolean }) {
		this.show(null);
		const commands = this.#open?.commands;
		if (commands) commands.newChat = { ...commands.newChat, temporary: isTemporary };
	}

	reconnectNow() {
		this.ports.realtime.reconnectNow();
	}

	#connected() {
		const isAgain = this.connection.wasOnline;
		this.connection.connected();
		const open = this.#open;
		if (open && open.store.phase !== 'new')
			void open.store.join().then(() => open.commands.outbox.retryPassing());
		else void open?.commands.outbox.retryPassing();
		if (isAgain || this.chats.phase === 'failed') void this.chats.load();
		if (this.engine.phase === 'backend_down') void this.engine.check();
	}

	#leave() {
		this.#open?.store.leave();
		this.#open?.commands.outbox.dispose();
	}

	#handle(event: ServerEvent) {
		this.chats.handle(event);
		this.#open?.store.handle(event);
	}
}

const isUntouched = ({ store, commands }: OpenChat) =>
	store.phase === 'new' && commands.outbox.pending.length === 0;

const APP = Symbol('app');

/** The page's own stores, on real network and storage. */
export function createApp(): AppStore {
	return new AppStore({
		api: httpApi(import.meta.env.VITE_API_BASE_URL),
		realtime: socketRealtime(import.meta.env.VITE_API_BASE_URL),
		storage: browserStorage()
	});
}

export const provideApp = (app: AppStore): AppStore => setContext(APP, app);
export const useApp = (): AppStore => getContext<AppStore>(APP);
