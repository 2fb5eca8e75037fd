/**
 * How each kind of block begins: one function a kind, tried in order against a line.
 * Does not know how blocks go on or end; the block parser does.
 */
import type { Line } from './line';
import { mathStart } from './math';
import { delimiterRow, splitRow } from './table';
import type { Block, BlockType, ListMarker } from './tree';

/** What a start may do to the tree. */
export interface Site {
	/** The deepest block the line's beginning belongs to. */
	readonly container: Block;
	/** A paragraph that would swallow the line if nothing starts here. */
	readonly interrupts: boolean;
	readonly lazy: boolean;
	add(type: BlockType): Block;
	set<K extends keyof Block>(block: Block, key: K, value: Block[K]): void;
	/** Closes what the line does not go on. */
	closeUnmatched(): void;
	/** Takes the definitions off an open paragraph; false if nothing is left of it. */
	takeDefinitions(paragraph: Block): boolean;
	/** Takes up a footnote; returns its number, or 0. */
	addNote(label: string): number;
	/** Turns the paragraph's last line into the header of a table. */
	startTable(paragraph: Block, align: ReturnType<typeof delimiterRow>): void;
}

/** `container`: more may start inside; `leaf`: its text follows; `done`: the line is used up. */
export type Started = 'container' | 'leaf' | 'done' | null;
type Start = (line: Line, site: Site) => Started;

const ATX = /^#{1,6}(?:[ \t]+|$)/;
const FENCE = /^`{3,}(?!.*`)|^~{3,}/;
const RULE = /^(?:\*[ \t]*){3,}$|^(?:_[ \t]*){3,}$|^(?:-[ \t]*){3,}$/;
const NOTE = /^\[\^((?:\\.|[^[\]\\\s]){1,100})\]:/;
const SETEXT = /^(?:=+|-+)[ \t]*$/;
const BULLET = /^[*+-]/;
const NUMBER = /^(\d{1,9})([.)])/;
const ESCAPED = /\\([!-/:-@[-`{-~])/g;

const TAG_NAME = '[A-Za-z][A-Za-z0-9-]*';
const ATTRIBUTE = `(?:\\s+[A-Za-z_:][\\w.:-]*(?:\\s*=\\s*(?:[^"'=<>\`\\s]+|'[^']*'|"[^"]*"))?)`;
const HTML_BLOCK_TAGS =
	'address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul';
/** How the seven kinds of HTML block of CommonMark begin. */
const HTML_OPEN = [
	/^<(?:script|pre|textarea|style)(?:\s|>|$)/i,
	/^<!--/,
	/^<[?]/,
	/^<![A-Za-z]/,
	/^<!\[CDATA\[/,
	new RegExp(`^</?(?:${HTML_BLOCK_TAGS})(?:\\s|/?>|$)`, 'i'),
	new RegExp(`^(?:<${TAG_NAME}${ATTRIBUTE}*\\s*/?>|</${TAG_NAME}\\s*>)\\s*$`)
];
const HTML_CLOSE = [/<\/(?:script|pre|textarea|style)>/i, /-->/, /\?>/, />/, /\]\]>/];
const LONE_TAG = 7; // may not interrupt a paragraph
/** Deeper than this a marker is text: every level is a level of calls and of elements. */
const DEEPEST = 40;

export function endsHtml(kind: number, line: string): boolean {
	return HTML_CLOSE[kind - 1]?.test(line) ?? false;
}

const quote: Start = (line, site) => {
	if (line.indented || line.char !== '>' || isDeep(site)) return null;
	line.skipIndent();
	line.advance(1);
	if (line.atSpace()) line.advanceColumns(1);
	site.closeUnmatched();
	site.add('quote');
	return 'container';
};

/** As in GFM, but at the outermost level alone. */
const note: Start = (line, site) => {
	const found = line.indented || line.char !== '[' ? null : NOTE.exec(line.content);
	if (!found?.[1] || !isOutermost(site.container)) return null;
	line.skipIndent();
	line.advance(found[0].length);
	line.skipIndent();
	site.closeUnmatched();
	site.set(site.add('note'), 'level', site.addNote(found[1]));
	return 'container';
};

const heading: Start = (line, site) => {
	const found = line.indented ? null : ATX.exec(line.content);
	if (!found) return null;
	const text = withoutClosingHashes(line.content.slice(found[0].length));
	site.closeUnmatched();
	const block = site.add('heading');
	site.set(block, 'level', found[0].trim().length);
	site.set(block, 'text', text);
	return 'done';
};

const fence: Start = (line, site) => {
	const found = line.indented ? null : FENCE.exec(line.content);
	if (!found) return null;
	const length = found[0].length;
	const info = line.content.slice(length).trim().replace(ESCAPED, '$1');
	site.closeUnmatched();
	const block = site.add('fence');
	site.set(block, 'fence', { char: found[0].charAt(0), length, indent: line.indent, info });
	return 'done';
};

const math: Start = (line, site) => {
	const kind = line.indented ? 0 : mathStart(line.content);
	if (kind === 0) return null;
	site.closeUnmatched();
	const block = site.add('math');
	site.set(block, 'level', kind);
	return 'leaf';
};

const html: Start = (line, site) => {
	if (line.indented || line.char !== '<') return null;
	const kind = HTML_OPEN.findIndex((open) => open.test(line.content)) + 1;
	if (kind === 0) return null;
	if (kind === LONE_TAG && (site.container.type === 'paragraph' || site.lazy)) return null;
	site.closeUnmatched();
	const block = site.add('html');
	site.set(block, 'level', kind);
	return 'leaf';
};

const table: Start = (line, site) => {
	if (line.indented || site.container.type !== 'paragraph') return null;
	const align = delimiterRow(line.content.trimEnd());
	if (!align) return null;
	const header = site.container.text.split('\n').at(-1) ?? '';
	if (!header.includes('|') && align.length > 1) return null;
	if (splitRow(header).length !== align.length) return null;
	site.closeUnmatched();
	site.startTable(site.container, align);
	return 'done';
};

const setext: Start = (line, site) => {
	if (line.indented || site.container.type !== 'paragraph') return null;
	if (!SETEXT.test(line.content)) return null;
	site.closeUnmatched();
	const paragraph = site.container;
	if (!site.takeDefinitions(paragraph)) return null;
	site.set(paragraph, 'type', 'heading');
	site.set(paragraph, 'level', line.char === '=' ? 1 : 2);
	site.set(paragraph, 'text', paragraph.text.trim());
	site.set(paragraph, 'lastLine', line.number);
	return 'done';
};

const rule: Start = (line, site) => {
	if (line.indented || !RULE.test(line.content)) return null;
	site.closeUnmatched();
	site.add('rule');
	return 'done';
};

const item: Start = (line, site) => {
	if (isDeep(site)) return null;
	const marker = readMarker(line, site.container.type === 'paragraph');
	if (!marker) return null;
	site.closeUnmatched();
	const list = site.container.type === 'list' && sameList(site.container, marker);
	if (!list) site.set(site.add('list'), 'marker', marker);
	site.set(site.add('item'), 'marker', marker);
	return 'container';
};

const indented: Start = (line, site) => {
	if (!line.indented || line.blank || site.interrupts) return null;
	line.advanceColumns(4);
	site.closeUnmatched();
	site.add('indented');
	return 'leaf';
};

export const STARTS: readonly Start[] = [
	quote,
	note,
	heading,
	fence,
	math,
	html,
	table,
	setext,
	rule,
	item,
	indented
];

function isOutermost({ type, parent }: Block): boolean {
	return (
		type === 'document' || (['paragraph', 'list'].includes(type) && parent?.type === 'document')
	);
}

function isDeep(site: Site): boolean {
	return site.container.depth >= DEEPEST;
}

function withoutClosingHashes(heading: string): string {
	const text = heading.trim();
	let end = text.length;
	while (text[end - 1] === '#') end--;
	return end === 0 || /[ \t]/.test(text.charAt(end - 1)) ? text.slice(0, end).trim() : text;
}

function sameList(list: Block, marker: ListMarker): boolean {
	return list.marker?.ordered === marker.ordered && list.marker.sign === marker.sign;
}

/** Reads a list marker and moves the cursor to the item's text. */
function readMarker(line: Line, inParagraph: boolean): ListMarker | null {
	if (line.indented) return null;
	const bullet = BULLET.exec(line.content);
	const number = bullet ? null : NUMBER.exec(line.content);
	const found = bullet ?? number;
	if (!found) return null;
	const after = line.content.slice(found[0].length);
	if (after && !/^[ \t]/.test(after)) return null;
	const start = number ? Number(number[1]) : 1;
	// Only a list that starts with 1 and with text may interrupt a paragraph.
	if (inParagraph && (!after.trim() || start !== 1)) return null;
	const offset = line.indent;
	line.skipIndent();
	line.advance(found[0].length);
	const padding = found[0].length + skipPadding(line);
	return { ordered: !bullet, sign: found[0].slice(-1), start, offset, padding };
}

/** Spaces between marker and text: one if there are five or more (then it is code) or none. */
function skipPadding(line: Line): number {
	const width = line.indent;
	if (width >= 1 && width <= 4 && !line.blank) {
		line.skipIndent();
		return width;
	}
	if (line.atSpace()) line.advanceColumns(1);
	return 1;
}
