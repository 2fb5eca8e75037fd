/**
 * Owns keeping what belongs to some chats out of the browser's storage: it lives in this page's memory.
 * Does not know why a chat leaves no trace.
 */

import type { KeyValueStore } from './storage';

export interface PrivateKeys extends KeyValueStore {
	/** From now on nothing of this chat is stored; what is there already is taken out. */
	hide(chatId: string): void;
	/** From now on what belongs to this chat is stored again. */
	reveal(chatId: string): void;
}

/** Keys that end with a chat's id belong to it. */
export function withPrivateKeys(storage: KeyValueStore): PrivateKeys {
	const hidden = new Set<string>();
	const memory = new Map<string, unknown>();
	const chatOf = (key: string) => key.slice(key.lastIndexOf('.') + 1);
	const isHidden = (key: string) => hidden.has(chatOf(key));
	const of = (chatId: string, keys: Iterable<string>) =>
		[...keys].filter((key) => chatOf(key) === chatId);

	return {
		read: (key) => (isHidden(key) ? memory.get(key) : storage.read(key)),
		write: (key, value) =>
			void (isHidden(key) ? memory.set(key, value) : storage.write(key, value)),
		remove: (key) => void (isHidden(key) ? memory.delete(key) : storage.remove(key)),
		keys: () => [...new Set([...storage.keys(), ...memory.keys()])],
		hide(chatId) {
			hidden.add(chatId);
			for (const key of of(chatId, storage.keys())) {
				memory.set(key, storage.read(key));
				storage.remove(key);
			}
		},
		reveal(chatId) {
			hidden.delete(chatId);
			for (const key of of(chatId, memory.keys())) {
				storage.write(key, memory.get(key));
				memory.delete(key);
			}
		}
	};
}
