/**
 * Where mathematics begins and ends in Markdown: `$…$`, `$$…$$`, `\(…\)` and `\[…\]`.
 * Sets no type; `typeset.ts` does.
 */
import type { MarkedExtension, Tokens } from 'marked';
import { escapeHtml } from './inline';

/** How the delimiters of a block begin and end, by the block's level less one. */
export const MATH_BLOCKS = [
	{ open: '$$', close: '$$' },
	{ open: '\\[', close: '\\]' }
] as const;

/** The value of the element that holds a formula until it is typeset. */
export type MathKind = 'inline-math' | 'display-math';

/** As Pandoc reads it, so that `$5 and $6` stay prices: no space inside, no digit after. */
const DOLLARS = /^\$(?![\s$])((?:\\[^\n]|[^\\$\n])*?[^\s\\$]|\\[^\n])\$(?!\d)/;
const DISPLAY_DOLLARS = /^\$\$((?:\\[\s\S]|[^\\$])+?)\$\$/;
const PARENTHESES = /^\\\(([\s\S]+?)\\\)/;
const BRACKETS = /^\\\[([\s\S]+?)\\\]/;

/** The kind of block (1 or 2) that begins with this line, or 0. */
export function mathStart(line: string): number {
	const text = line.trimEnd();
	if (text.startsWith('$$')) {
		const next = text.indexOf('$$', 2);
		return next < 0 || (next > 2 && next === text.length - 2) ? 1 : 0;
	}
	const isAlone = text === '\\[' || /^\\\[\s/.test(text);
	return isAlone || (text.startsWith('\\[') && text.endsWith('\\]')) ? 2 : 0;
}

/** Whether the line ends the block; `isFirst`: it is the line that began it. */
export function mathEnds(kind: number, line: string, isFirst: boolean): boolean {
	const close = MATH_BLOCKS[kind - 1]?.close;
	const text = line.trimEnd();
	return (
		close !== undefined && text.endsWith(close) && (!isFirst || text.length > close.length + 1)
	);
}

/** The formula of a block, and whether it has come to its end. */
export function mathOf(kind: number, source: string): { tex: string; isWhole: boolean } {
	const { open, close } = MATH_BLOCKS[kind - 1] ?? MATH_BLOCKS[0];
	const text = source.trim();
	const isWhole = text.length >= open.length + close.length && text.endsWith(close);
	return { tex: text.slice(open.length, isWhole ? -close.length : undefined).trim(), isWhole };
}

/** For marked: formulas in a line become elements that `typeset` finds. */
export const inlineMath: MarkedExtension = {
	extensions: [
		{
			name: 'math',
			level: 'inline',
			start: (source) => {
				const at = source.search(/\$|\\[([]/);
				return at < 0 ? undefined : at;
			},
			tokenizer: (source) => {
				const display = DISPLAY_DOLLARS.exec(source) ?? BRACKETS.exec(source);
				const found = display ?? PARENTHESES.exec(source) ?? DOLLARS.exec(source);
				const tex = found?.[1];
				if (!found || !tex?.trim()) return undefined;
				const kind: MathKind = display ? 'display-math' : 'inline-math';
				return { type: 'math', raw: found[0], text: tex.trim(), kind };
			},
			renderer: ({ text, kind }: Tokens.Generic) =>
				`<data value="${String(kind)}">${escapeHtml(String(text))}</data>`
		}
	]
};
