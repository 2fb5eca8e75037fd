/** Owns what belongs together of a chat that this page follows, and coming back to it after a loss. */

import type { ChatStore } from './chat.svelte';
import type { ChatCommands } from './commands.svelte';
import type { ChatHistory } from './history.svelte';

export interface OpenChat {
	store: ChatStore;
	commands: ChatCommands;
	history: ChatHistory;
	/** Lets other tabs send what waits in it. */
	release: () => void;
}

/** The way is open: takes over the server's state and sends what waits. */
export async function comeBack({ store, commands, history }: OpenChat): Promise<void> {
	if (store.phase !== 'new') await store.join();
	history.retry();
	await commands.outbox.retryPassing();
}

/** Nobody follows it any more. */
export function letGo({ store, commands, release }: OpenChat) {
	commands.outbox.onEmpty = () => undefined;
	commands.outbox.dispose();
	store.leave();
	release();
}
