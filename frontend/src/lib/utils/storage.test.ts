import { expect, test } from 'vitest';
import { readSettings } from '$lib/stores/settings.svelte';
import { browserStorage } from './storage';

function memory(): Storage {
	const kept = new Map<string, string>();
	const storage = {
		getItem: (key: string) => kept.get(key) ?? null,
		setItem: (key: string, value: string) => void kept.set(key, value),
		removeItem: (key: string) => void kept.delete(key)
	};
	return storage as Storage;
}

test('what is kept is there for the next page', () => {
	const storage = memory();
	browserStorage(() => storage).write('draft.new', '你好');

	expect(browserStorage(() => storage).read('draft.new')).toBe('你好');
});

test('a storage that is blocked is replaced by memory for as long as the page lives', () => {
	const store = browserStorage(() => {
		throw new DOMException('blocked', 'SecurityError');
	});
	store.write('draft.new', 'x');

	expect(store.read('draft.new')).toBe('x');
	store.remove('draft.new');
	expect(store.read('draft.new')).toBeUndefined();
});

test('a full storage keeps the page going', () => {
	const storage = memory();
	storage.setItem = () => {
		throw new DOMException('full', 'QuotaExceededError');
	};
	const store = browserStorage(() => storage);
	store.write('draft.new', 'x');

	expect(store.read('draft.new')).toBe('x');
});

test.each(['{', '"text"', 'null', '[]', '{"theme":7,"sendKey":"x","thinking":"yes"}'])(
	'settings that are corrupt (%s) are the defaults',
	(text) => {
		const storage = memory();
		storage.setItem('vllm-chat.settings', text);

		const settings = readSettings(browserStorage(() => storage).read('settings'));

		expect(settings).toEqual({
			theme: 'system',
			sendKey: 'enter',
			fontSize: 'medium',
			language: null,
			thinking: true
		});
	}
);
