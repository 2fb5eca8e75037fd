/**
 * Owns the page's language: which one it is, and texts in it.
 * Does not keep the choice: the settings store does.
 */

import { createInstance } from 'i18next';
import { en } from './en';
import { zh } from './zh';

export type Language = 'zh' | 'en';
type Plural<K> = K extends `${infer Base}_one` | `${infer Base}_other` ? Base : K;
export type MessageKey = Plural<keyof typeof en>;
export type MessageValues = Record<string, string | number>;

const i18n = createInstance();
void i18n.init({
	lng: 'en',
	fallbackLng: 'en',
	resources: { en: { translation: en }, zh: { translation: zh } },
	keySeparator: false,
	nsSeparator: false,
	initAsync: false,
	// Svelte escapes what it shows.
	interpolation: { escapeValue: false }
});
const texts = { en: i18n.getFixedT('en'), zh: i18n.getFixedT('zh') };

let current = $state<Language>('en');

export const language = (): Language => current;
export const locale = (): string => (current === 'zh' ? 'zh-CN' : 'en');

export function setLanguage(language: Language) {
	current = language;
}

const plain = { en: new Map<MessageKey, string>(), zh: new Map<MessageKey, string>() };

/** The text for `key` in the page's language; what reads it is shown anew when that changes. */
export function t(key: MessageKey, values?: MessageValues): string {
	if (values) return texts[current](key, values);
	// Looked up once: a long conversation has the names of thousands of buttons.
	let text = plain[current].get(key);
	if (text === undefined) plain[current].set(key, (text = texts[current](key)));
	return text;
}

/** The first language of the browser that the page has; English if none. */
export function detectLanguage(preferred: readonly string[] = navigator.languages): Language {
	for (const tag of preferred) {
		if (/^zh\b/i.test(tag)) return 'zh';
		if (/^en\b/i.test(tag)) return 'en';
	}
	return 'en';
}
