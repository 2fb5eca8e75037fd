/**
 * Owns one file being imported, and where exports are.
 * Does not read files: the server does.
 */

import { chatExport, EXPORT_FORMATS, fullExport, importFile } from '$lib/api/transfer';
import type { Imported } from '$lib/types/wire';
import type { ChatsStore } from './chats.svelte';

export class TransferStore {
	/** The share of the file that has been sent, from 0 to 1; null while none is on its way. */
	sent = $state<number | null>(null);
	report = $state.raw<Imported | null>(null);
	readonly formats = EXPORT_FORMATS;
	readonly chatExport = chatExport;
	readonly fullExport = fullExport;

	constructor(private readonly chats: ChatsStore) {}

	/**
	 * Imports one file; another one meanwhile is not taken.
	 *
	 * @throws Failure nothing of it was imported then
	 */
	async take(file: Blob): Promise<void> {
		if (this.sent !== null) return;
		this.report = null;
		this.sent = 0;
		try {
			this.report = await importFile(file, (share) => (this.sent = share));
		} finally {
			this.sent = null;
		}
		// Of a large file only the first chats are announced.
		void this.chats.load();
	}
}
