/**
 * Owns the text that was written but not sent, one draft a chat.
 * Does not own messages under way: `unsent.ts` does.
 */

import type { KeyValueStore } from '$lib/utils/storage';

/** The composer of the page without a chat. */
export const NEW_CHAT = 'new';

export class Drafts {
	constructor(private readonly storage: KeyValueStore) {}

	read(chatId: string): string {
		const text = this.storage.read(`draft.${chatId}`);
		return typeof text === 'string' ? text : '';
	}

	write(chatId: string, text: string) {
		if (text) this.storage.write(`draft.${chatId}`, text);
		else this.storage.remove(`draft.${chatId}`);
	}
}
