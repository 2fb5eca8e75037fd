/**
 * Colours for code, a piece at a time and never for long: a queue that works while frames have
 * time left. Its HTML is sanitised here, last. Knows nothing of fences or components.
 */
import hljs from 'highlight.js/lib/core';
import { languageOf, loadGrammar } from './languages';
import { sanitizeCode, type SafeHtml } from './sanitize';

/** Milliseconds of a frame the queue may use; a piece once begun is finished. */
const FRAME_SHARE = 4;
/** Beyond these a piece stays plain: grammars slow down on what no one writes by hand. */
const LONGEST_PIECE = 16_000;
const LONGEST_LINE = 2_000;

interface Job {
	text: string;
	language: string;
	done: (html: SafeHtml) => void;
}

const queue: Job[] = [];
const loading = new Map<string, Promise<boolean>>();
let working = false;

/**
 * Asks for `text` in the colours of the language people call `name`; `done` may never be called.
 * Returns what takes the request back.
 */
export function requestHighlight(text: string, name: string, done: Job['done']): () => void {
	const language = languageOf(name);
	if (!language || text.length > LONGEST_PIECE || hasLongLine(text)) return () => undefined;
	const job = { text, language, done };
	let wanted = true;
	void load(language).then((loaded) => {
		if (!loaded || !wanted) return;
		queue.push(job);
		work();
	});
	return () => {
		wanted = false;
		const at = queue.indexOf(job);
		if (at >= 0) queue.splice(at, 1);
	};
}

function load(language: string): Promise<boolean> {
	let loaded = loading.get(language);
	if (!loaded) {
		loaded = loadGrammar(language).then(
			(grammar) => {
				hljs.registerLanguage(language, grammar);
				return true;
			},
			() => {
				loading.delete(language); // the network may be back for the next one
				return false;
			}
		);
		loading.set(language, loaded);
	}
	return loaded;
}

function work(): void {
	if (working) return;
	working = true;
	requestAnimationFrame(() => {
		working = false;
		const end = performance.now() + FRAME_SHARE;
		do {
			const job = queue.shift();
			if (!job) return;
			job.done(highlight(job));
		} while (performance.now() < end);
		if (queue.length > 0) work();
	});
}

function highlight({ text, language }: Job): SafeHtml {
	return sanitizeCode(hljs.highlight(text, { language, ignoreIllegals: true }).value);
}

function hasLongLine(text: string): boolean {
	return text.split('\n').some((line) => line.length > LONGEST_LINE);
}
