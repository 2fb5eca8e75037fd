/**
 * Owns what a reader chose for this browser: theme, language, font size, send key, thinking.
 * Does not apply them to the document: `Appearance.svelte` does.
 */

import { detectLanguage, setLanguage, type Language } from '$lib/i18n';
import { isRecord, type KeyValueStore } from '$lib/utils/storage';

export const THEMES = ['system', 'light', 'dark'] as const;
export const SEND_KEYS = ['enter', 'mod-enter'] as const;
export const FONT_SIZES = ['small', 'medium', 'large'] as const;
export const LANGUAGES = ['zh', 'en'] as const;

export interface Settings {
	theme: (typeof THEMES)[number];
	sendKey: (typeof SEND_KEYS)[number];
	fontSize: (typeof FONT_SIZES)[number];
	/** null follows the browser. */
	language: Language | null;
	thinking: boolean;
}

const KEY = 'settings';
const DEFAULTS: Settings = {
	theme: 'system',
	sendKey: 'enter',
	fontSize: 'medium',
	language: null,
	thinking: true
};

export class SettingsStore {
	#values = $state<Settings>({ ...DEFAULTS });
	#storage: KeyValueStore;

	constructor(storage: KeyValueStore) {
		this.#storage = storage;
		this.reload();
	}

	get values(): Readonly<Settings> {
		return this.#values;
	}

	get language(): Language {
		return this.#values.language ?? detectLanguage();
	}

	set(changes: Partial<Settings>) {
		Object.assign(this.#values, changes);
		this.#storage.write(KEY, $state.snapshot(this.#values));
		setLanguage(this.language);
	}

	/** Reads again what is kept, as another tab may have changed it. */
	reload() {
		this.#values = readSettings(this.#storage.read(KEY));
		setLanguage(this.language);
	}
}

/** What is kept may come from another version or another hand: each value is checked by itself. */
export function readSettings(kept: unknown): Settings {
	const values = isRecord(kept) ? kept : {};
	const oneOf = <T extends string>(value: unknown, allowed: readonly T[], otherwise: T): T =>
		allowed.find((candidate) => candidate === value) ?? otherwise;
	return {
		theme: oneOf(values.theme, THEMES, DEFAULTS.theme),
		sendKey: oneOf(values.sendKey, SEND_KEYS, DEFAULTS.sendKey),
		fontSize: oneOf(values.fontSize, FONT_SIZES, DEFAULTS.fontSize),
		language: LANGUAGES.find((language) => language === values.language) ?? null,
		thinking: typeof values.thinking === 'boolean' ? values.thinking : DEFAULTS.thinking
	};
}
