/**
 * Closes, for display alone, what is still open at the end of inline text that streams in:
 * emphasis, strikethrough, code, links, tags. Never applied to text that is whole.
 */

export interface Mended {
	text: string;
	/** Whether something was open: then plain characters that follow belong inside of it. */
	open: boolean;
}

interface Opener {
	run: string;
	at: number;
}

const HALF_TAG = /<(?:[A-Za-z/!?][^<>]*)?$/;
const HALF_TARGET =
	/!?\[((?:\\.|[^[\]\\])*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+(?:"[^"]*"?|'[^']*'?)?)?$/;
const HALF_LABEL = /(^|[^\\\p{L}\p{N}\])])!?\[([^[\]]*)$/u;
const HALF_FORMULA = /\\\((?:(?!\\[()])[\s\S])+$/;
/** What is not closed by a dollar yet and looks like a formula, not like a price or a variable. */
const HALF_DOLLARS = /(?:^|[^\\$\p{L}\p{N}])\$(?![\s$\d])[^$\n]*[\\^_={}][^$\n]*$/u;
const DOLLAR = /\\.|\$/gs;
const HALF_URL = /(?:^|\s)(?:https?:\/\/|www\.)\S*$/i;
const WORD = /[\p{L}\p{N}]/u;
const TRAILING_RUN = /(?:\*+|_+|~+)$/;

export function mend(source: string): Mended {
	const code = openCode(source);
	if (code) return { text: closeCode(source, code), open: true };
	let text = source.replace(/\\$/, '').replace(HALF_TAG, '');
	text = text.replace(HALF_TARGET, (whole, label: string) => (whole.startsWith('!') ? '' : label));
	text = text.replace(HALF_LABEL, '$1$2');
	text = closeDollars(text.replace(HALF_FORMULA, '$&\\)'));
	text = closeEmphasis(text);
	return { text, open: text !== source || HALF_URL.test(source) };
}

function closeDollars(text: string): string {
	if (!HALF_DOLLARS.test(text)) return text;
	const dollars = [...text.matchAll(DOLLAR)].filter(([found]) => found === '$').length;
	const body = text.replace(/[\s\\]+$/, '');
	return dollars % 2 ? `${body}$` : text;
}

/** The backtick run of a code span that has not ended. */
function openCode(text: string): Opener | null {
	let open: Opener | null = null;
	for (const { 0: run, index } of text.matchAll(/\\.|`+/gs)) {
		if (run.startsWith('\\')) {
			// a backslash escapes nothing inside code, so a backtick after it may end the span
			if (open && run === '\\' + open.run) open = null;
		} else if (!open) open = { run, at: index };
		else if (open.run === run) open = null;
	}
	return open;
}

function closeCode(text: string, { run, at }: Opener): string {
	const inside = text.slice(at + run.length);
	const before = closeEmphasis(text.slice(0, at));
	if (!inside.trim()) return before;
	// the first of a longer closing run may have come already
	return text.slice(0, at) + run + inside.replace(/`+$/, '') + run + closers(text.slice(0, at));
}

function closeEmphasis(text: string): string {
	const open = openEmphasis(text);
	let body = text;
	const trailing = TRAILING_RUN.exec(body)?.[0] ?? '';
	const last = open.at(-1);
	// a run at the very end either opens what is not there yet, or is half of what closes
	if (
		trailing &&
		last &&
		(last.at === body.length - trailing.length || last.run.length > trailing.length)
	) {
		body = body.slice(0, -trailing.length);
		if (last.at === body.length) open.pop();
	}
	if (open.length === 0) return body;
	const end = body.trimEnd().length;
	return body.slice(0, end) + join(open) + body.slice(end);
}

function closers(text: string): string {
	return join(openEmphasis(text));
}

function join(open: readonly Opener[]): string {
	return open
		.map(({ run }) => run)
		.reverse()
		.join('');
}

/** Code, escapes, whole link targets and tags hide what looks like a delimiter run. */
const DELIMITERS = /\\.|(`+)[^`](?:[\s\S]*?[^`])?\1(?!`)|\]\([^)\s]*\)|<[^<>]*>|\*+|_+|~+/g;

function openEmphasis(text: string): Opener[] {
	const open: Opener[] = [];
	for (const { 0: run, index } of text.matchAll(DELIMITERS)) {
		if (!/^[*_~]/.test(run) || isInWord(text, run, index)) continue;
		const last = open.at(-1);
		const end = index + run.length;
		if (last?.run === run && !isSpace(text, index - 1)) open.pop();
		else if (!isSpace(text, end) || (end === text.length && !last)) open.push({ run, at: index });
	}
	return open;
}

function isSpace(text: string, at: number): boolean {
	return !/\S/.test(text.charAt(at));
}

/** An underscore between letters is just that. */
function isInWord(text: string, run: string, at: number): boolean {
	if (!run.startsWith('_')) return false;
	return WORD.test(text.charAt(at - 1)) && WORD.test(text.charAt(at + run.length));
}
