/**
 * Owns reading and writing localStorage, which may be blocked, full or corrupt.
 * Does not know what is kept.
 */

export interface KeyValueStore {
	read(key: string): unknown;
	write(key: string, value: unknown): void;
	remove(key: string): void;
	keys(): string[];
}

const PREFIX = 'vllm-chat.';

/** JSON values in localStorage under one prefix; whatever fails, the page goes on from memory. */
export function browserStorage(storage: () => Storage = () => localStorage): KeyValueStore {
	/** Only what storage would not take: another tab may have removed the rest. */
	const memory = new Map<string, unknown>();

	const attempt = <T>(action: (storage: Storage) => T, otherwise: T): T => {
		try {
			return action(storage());
		} catch {
			return otherwise;
		}
	};

	return {
		read(key) {
			if (memory.has(key)) return memory.get(key);
			const text = attempt((kept) => kept.getItem(PREFIX + key), null);
			return text === null ? undefined : attempt(() => JSON.parse(text) as unknown, undefined);
		},
		write(key, value) {
			const isKept = attempt((kept) => {
				kept.setItem(PREFIX + key, JSON.stringify(value));
				return true;
			}, false);
			if (isKept) memory.delete(key);
			else memory.set(key, value);
		},
		remove(key) {
			memory.delete(key);
			attempt((kept) => kept.removeItem(PREFIX + key), undefined);
		},
		keys() {
			const kept = attempt((storage) => Object.keys(storage), [])
				.filter((key) => key.startsWith(PREFIX))
				.map((key) => key.slice(PREFIX.length));
			return [...new Set([...kept, ...memory.keys()])];
		}
	};
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);
