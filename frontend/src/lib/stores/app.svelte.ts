/**
 * Owns the wiring of the page: makes the stores, hands events to them, opens chats.
 * Does not hold state of its own but which chat is open.
 */

import { getContext, setContext } from 'svelte';
import { httpApi, type Api } from '$lib/api/http';
import { socketRealtime, type Realtime } from '$lib/api/socket';
import type { ServerEvent } from '$lib/types/events';
import { newId } from '$lib/utils/id';
import { withPrivateKeys, type PrivateKeys } from '$lib/utils/private_keys';
import { browserStorage, type KeyValueStore } from '$lib/utils/storage';
import { browserLocks, type TabLocks } from '$lib/utils/tab_locks';
import { ChatStore } from './chat.svelte';
import { ChatsStore } from './chats.svelte';
import { ChatCommands } from './commands.svelte';
import { ConnectionStore } from './connection.svelte';
import { Drafts } from './drafts';
import { EngineStore } from './engine.svelte';
import { ChatHistory } from './history.svelte';
import { LabelsStore } from './labels.svelte';
import { comeBack, letGo, type OpenChat } from './open_chat';
import { PresetsStore } from './presets.svelte';
import { frameScheduler } from './scheduler';
import { SearchStore } from './search.svelte';
import { SettingsStore } from './settings.svelte';
import { UnsentMessages } from './unsent.svelte';
import { WaitingChats } from './waiting_chats';

export type { OpenChat } from './open_chat';

/** The dialogs of the whole page; one is open at a time. */
export type DialogName = 'settings' | 'presets' | 'palette' | 'shortcuts';

export interface Ports {
	api: Api;
	realtime: Realtime;
	storage: KeyValueStore;
	locks: TabLocks;
}

export class AppStore {
	readonly connection = new ConnectionStore();
	readonly settings: SettingsStore;
	readonly chats: ChatsStore;
	readonly labels: LabelsStore;
	readonly search: SearchStore;
	/** The palette's own search: what is written in the sidebar stays. */
	readonly finder: SearchStore;
	readonly presets: PresetsStore;
	readonly engine: EngineStore;
	dialog = $state<DialogName | null>(null);
	readonly drafts: Drafts;
	/**
	 * What was written in the editor of a message that was left by Escape, which loses no text: it is there when the
	 * editor is opened anew. In this page's memory alone, as a temporary chat asks.
	 */
	readonly leftEdits = new Map<string, string>();
	readonly #kept: PrivateKeys;
	readonly #unsent: UnsentMessages;
	readonly #waiting: WaitingChats;
	#open = $state.raw<OpenChat | null>(null);

	constructor(private readonly ports: Ports) {
		this.#kept = withPrivateKeys(ports.storage);
		this.settings = new SettingsStore(this.#kept);
		this.chats = new ChatsStore(ports.api);
		this.labels = new LabelsStore(ports.api);
		this.search = new SearchStore(ports.api);
		this.finder = new SearchStore(ports.api);
		this.presets = new PresetsStore(ports.api);
		this.engine = new EngineStore(ports.api);
		this.drafts = new Drafts(this.#kept);
		this.#unsent = new UnsentMessages(this.#kept);
		this.#waiting = new WaitingChats(this.#unsent, (id) => this.#make(id, false), ports.locks);
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
			this.#unsent.refresh();
			this.#open?.commands.outbox.reload();
			this.#waiting.reload();
		};
		addEventListener('storage', onStorage);
		void this.chats.load();
		return () => {
			removeEventListener('storage', onStorage);
			unwatch();
			disconnect();
			this.connection.dispose();
			this.#waiting.dispose();
			if (this.#open) letGo(this.#open);
		};
	}

	/** Opens a chat by its id, or a new one for null. The chat that is open already stays as it is. */
	show(chatId: string | null) {
		if (chatId !== null && chatId === this.#open?.store.id) return;
		if (chatId === null && this.#open && isUntouched(this.#open)) return;
		if (this.#open) this.#waiting.keep(this.#open);
		const waiting = chatId === null ? null : this.#waiting.take(chatId);
		if (waiting) {
			this.#open = waiting;
			return;
		}
		const id = chatId ?? newId();
		const open = this.#make(id, chatId === null);
		this.#open = { ...open, release: this.ports.locks.take(id) };
		if (open.store.phase !== 'new') void this.#enter(open);
	}

	/** Whether messages of a chat wait to be sent; the one that is just going out does not count. */
	hasUnsent(chatId: string): boolean {
		if (!this.#unsent.chatIds.has(chatId)) return false;
		const { pending } = this.#open?.store.id === chatId ? this.#open.commands.outbox : {};
		return !(pending?.length === 1 && pending[0]?.state === 'sending');
	}

	/** Whether the chat that is open is to be kept in memory alone. */
	get isTemporary(): boolean {
		const open = this.#open;
		return Boolean(open && (open.store.head?.temporary ?? open.commands.newChat.temporary));
	}

	/** Begins a new chat, which is kept or not. */
	begin({ isTemporary }: { isTemporary: boolean }) {
		this.show(null);
		const open = this.#open;
		if (!open) return;
		if (isTemporary) this.#kept.hide(open.store.id);
		else this.#kept.reveal(open.store.id);
		open.commands.newChat = { ...open.commands.newChat, temporary: isTemporary };
	}

	/**
	 * Ends the temporary chat that is open: nothing of it is left, here or on the server.
	 *
	 * @throws Failure it is still there
	 */
	async discard(): Promise<void> {
		const open = this.#open;
		if (!open || !this.isTemporary) return;
		if (open.store.phase !== 'new') await this.ports.api.deleteChat(open.store.id);
		open.commands.outbox.clear();
		this.drafts.write(open.store.id, '');
		letGo(open);
		this.#open = null;
		this.show(null);
	}

	reconnectNow() {
		this.ports.realtime.reconnectNow();
	}

	#connected() {
		const isAgain = this.connection.wasOnline;
		this.connection.connected();
		if (this.#open) void comeBack(this.#open);
		this.#waiting.deliver(this.#open?.store.id ?? null);
		if (isAgain || this.chats.phase === 'failed') void this.chats.load();
		if (this.engine.phase === 'backend_down') void this.engine.check();
	}

	#make(id: string, isNew: boolean): OpenChat {
		const isUnmade = isNew || this.#unsent.of(id).some((unsent) => unsent.newChat !== null);
		const phase = isUnmade ? 'new' : 'loading';
		const store = new ChatStore(id, phase, this.ports.realtime, frameScheduler());
		const thinks = () => this.settings.values.thinking;
		const commands = new ChatCommands(store, this.ports.api, this.#unsent, thinks);
		const history = new ChatHistory(store, this.ports.api);
		return { store, commands, history, release: () => undefined };
	}

	async #enter({ store }: OpenChat) {
		await store.join();
		if (store.head?.temporary) this.#kept.hide(store.id);
	}

	#handle(event: ServerEvent) {
		this.chats.handle(event);
		this.labels.handle(event);
		this.#open?.store.handle(event);
		this.#waiting.handle(event);
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
		storage: browserStorage(),
		locks: browserLocks()
	});
}

export const provideApp = (app: AppStore): AppStore => setContext(APP, app);
export const useApp = (): AppStore => getContext<AppStore>(APP);
