/**
 * Owns fetching what of an open chat is not here yet: earlier turns page by page, and the other branches.
 * Does not decide when: who shows them does.
 */

import type { Api } from '$lib/api/http';
import { isWhole, isWholeBelow } from '$lib/utils/known_part';
import type { ChatStore } from './chat.svelte';

/** Of long answers some hundreds of kilobytes: more would be felt while it is read. */
const PAGE = 100;

export class ChatHistory {
	/** How the last page fared; after a failure the next one is asked for by hand. */
	phase = $state<'idle' | 'loading' | 'failed'>('idle');

	constructor(
		private readonly chat: ChatStore,
		private readonly api: Pick<Api, 'listMessages' | 'getChat'>
	) {}

	/** Whether the server has turns before the oldest one that is here. */
	get hasEarlier(): boolean {
		return this.chat.hasEarlier;
	}

	/** Whether the page may ask for them by itself. */
	get isReady(): boolean {
		return this.hasEarlier && this.phase === 'idle';
	}

	/** @throws Failure */
	async earlier(): Promise<void> {
		const [oldest] = this.chat.path;
		if (!oldest || !this.hasEarlier || this.phase === 'loading') return;
		this.phase = 'loading';
		let found = 0;
		try {
			const page = { before: oldest.id, limit: PAGE };
			const { items } = await this.api.listMessages(this.chat.id, page);
			// Unless the chat came anew meanwhile.
			if (this.chat.path[0]?.id === oldest.id) this.chat.addOlder(items);
			found = items.length;
		} finally {
			this.phase = found > 0 ? 'idle' : 'failed';
		}
	}

	/**
	 * Fetches all branches.
	 *
	 * @throws Failure
	 */
	async whole(): Promise<void> {
		if (isWhole(this.chat.tree)) return;
		this.chat.addOlder((await this.api.getChat(this.chat.id)).messages);
	}

	/**
	 * Fetches what is below a message, where something of it is missing.
	 *
	 * @throws Failure
	 */
	async below(messageId: string): Promise<void> {
		if (!isWholeBelow(this.chat.tree, messageId)) await this.whole();
	}

	/** The way is open again: asks by itself once more. */
	retry() {
		if (this.phase === 'failed') this.phase = 'idle';
	}
}
