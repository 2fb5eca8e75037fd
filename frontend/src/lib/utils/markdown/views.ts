/**
 * What is to be seen of the block tree: immutable, finished parts the same objects from one
 * rendering to the next. HTML in here is not safe yet; the components sanitise it last.
 */
import type { InlineFlow, InlineView } from './inlineflow';
import { mathOf } from './math';
import { splitRow } from './table';
import { touch, type Align, type Block } from './tree';

interface Keyed {
	/** Place among its siblings, which a block keeps for ever. */
	readonly key: number;
	/** Nothing that comes changes it any more, link definitions at the end apart. */
	readonly done: boolean;
}

export interface TextView extends Keyed {
	readonly kind: 'text';
	/** 0 for a paragraph, else the heading's level. */
	readonly level: number;
	readonly inline: InlineView;
}

export interface CodeView extends Keyed {
	readonly kind: 'code';
	readonly language: string;
	readonly text: string;
}

export interface MathView extends Keyed {
	readonly kind: 'math';
	readonly tex: string;
	/** As it was written, for while it cannot be set. */
	readonly source: string;
}

export interface HtmlView extends Keyed {
	readonly kind: 'html';
	readonly html: string;
}

export interface RuleView extends Keyed {
	readonly kind: 'rule';
}

export interface QuoteView extends Keyed {
	readonly kind: 'quote';
	readonly children: readonly BlockView[];
}

export interface ItemView extends Keyed {
	/** Of a task; null for any other item. */
	readonly checked: boolean | null;
	readonly children: readonly BlockView[];
}

export interface ListView extends Keyed {
	readonly kind: 'list';
	readonly ordered: boolean;
	readonly start: number;
	readonly loose: boolean;
	readonly items: readonly ItemView[];
}

export interface RowView extends Keyed {
	readonly cells: readonly InlineView[];
}

export interface TableView extends Keyed {
	readonly kind: 'table';
	readonly align: readonly Align[];
	readonly header: RowView;
	readonly rows: readonly RowView[];
}

export interface NoteView extends Keyed {
	readonly number: number;
	readonly children: readonly BlockView[];
}

/** The footnotes, after all else. */
export interface NotesView extends Keyed {
	readonly kind: 'notes';
	readonly notes: readonly NoteView[];
}

export type BlockView =
	| TextView
	| CodeView
	| MathView
	| HtmlView
	| RuleView
	| QuoteView
	| ListView
	| TableView
	| NotesView;

const TASK = /^\[([ xX])\](?:[ \t]+|$)/;
/** Of a link: shows nothing, so its beginning is not shown either. */
const DEFINITION = /^\[[^\]\n]{1,200}\]:/;
const LANGUAGE = /[\p{L}\p{N}_+#.-]+/u;
const COMMENT = 2;
const FIRST_PLAIN_HTML = 6;

interface Seen {
	revision: number;
	view: unknown;
}

export class Viewer {
	readonly #seen = new WeakMap<Block, Seen>();
	/** Text of closed leaves, by its source: a drafted line may close one over and over. */
	readonly #whole = new WeakMap<Block, { source: string; inline: InlineView }>();

	constructor(readonly inline: InlineFlow) {}

	/** The blocks in their order, the footnotes at the end; each keeps its place as its key. */
	document(root: Block): readonly BlockView[] {
		const blocks: BlockView[] = [];
		const notes: NoteView[] = [];
		for (const [key, child] of root.children.entries())
			if (child.type !== 'note') blocks.push(this.#view(child, key));
			else if (child.level) notes.push(this.#once(child, () => this.#note(child, key)));
		if (notes.length) blocks.push({ kind: 'notes', key: -1, done: !root.open, notes });
		return blocks;
	}

	children(block: Block): readonly BlockView[] {
		return block.children.map((child, key) => this.#view(child, key));
	}

	/** Leaves shown already whose references may mean something by now. */
	*shownReferences(block: Block): Generator<Block> {
		for (const child of block.children) yield* this.shownReferences(child);
		if (block.text.includes('[') && this.#seen.has(block)) yield block;
	}

	/** Makes the next view of a leaf a new one. */
	forget(block: Block): void {
		this.#whole.delete(block);
		touch(block);
	}

	#view(block: Block, key: number): BlockView {
		return this.#once(block, () => this.#make(block, key));
	}

	#once<V>(block: Block, make: () => V): V {
		const seen = this.#seen.get(block);
		if (seen?.revision === block.revision) return seen.view as V;
		const view = make();
		this.#seen.set(block, { revision: block.revision, view });
		return view;
	}

	#make(block: Block, key: number): BlockView {
		const base = { key, done: !block.open };
		switch (block.type) {
			case 'list':
				return this.#list(block, base);
			case 'quote':
				return { ...base, kind: 'quote', children: this.children(block) };
			case 'table':
				return this.#table(block, base);
			case 'rule':
				return { ...base, kind: 'rule' };
			case 'fence':
				return { ...base, kind: 'code', language: language(block), text: block.text.slice(0, -1) };
			case 'indented':
				return { ...base, kind: 'code', language: '', text: withoutBlankEnd(block.text) };
			case 'math':
				return { ...base, kind: 'math', ...math(block) };
			case 'html':
				return html(block, base);
			default:
				return this.#text(block, base);
		}
	}

	#text(block: Block, base: Keyed): BlockView {
		const text = isTaskText(block) ? block.text.replace(TASK, '') : block.text;
		if (block.open && /^\|[^\n]*\|/.test(text) && !text.includes('\n'))
			return this.#firstRow(text, base);
		const inline = block.open
			? this.inline.open(DEFINITION.test(text) ? '' : text)
			: this.#closed(block, text.trimEnd());
		return { ...base, kind: 'text', level: block.level, inline };
	}

	#closed(block: Block, source: string): InlineView {
		const known = this.#whole.get(block);
		if (known?.source === source) return known.inline;
		const inline = this.inline.whole(source);
		this.#whole.set(block, { source, inline });
		return inline;
	}

	/** A line that looks like the header of a table is shown as one before the next line tells. */
	#firstRow(text: string, base: Keyed): TableView {
		const cells = splitRow(text).map((cell, slot) => this.inline.open(cell, slot));
		return { ...base, kind: 'table', align: [], header: { key: 0, done: false, cells }, rows: [] };
	}

	#list(block: Block, base: Keyed): ListView {
		return {
			...base,
			kind: 'list',
			ordered: block.marker?.ordered ?? false,
			start: block.marker?.start ?? 1,
			loose: block.loose,
			items: block.children.map((item, key) => this.#once(item, () => this.#item(item, key)))
		};
	}

	#note(block: Block, key: number): NoteView {
		return { key, done: !block.open, number: block.level, children: this.children(block) };
	}

	#item(block: Block, key: number): ItemView {
		const first = block.children[0];
		const task = first && isTaskText(first) ? TASK.exec(first.text) : null;
		const checked = task ? task[1] !== ' ' : null;
		return { key, done: !block.open, checked, children: this.children(block) };
	}

	#table(block: Block, base: Keyed): TableView {
		const width = block.align.length;
		const rows = block.children.map((row, key) =>
			this.#once(row, () => this.#row(row, key, width))
		);
		const [header = { key: 0, done: true, cells: [] }, ...body] = rows;
		return { ...base, kind: 'table', align: block.align, header, rows: body };
	}

	#row(row: Block, key: number, width: number): RowView {
		const texts = splitRow(row.text);
		const cells = Array.from({ length: width }, (_, at) => this.#cell(texts, at, row.open));
		return { key, done: !row.open, cells };
	}

	#cell(texts: readonly string[], at: number, growing: boolean): InlineView {
		const text = texts[at] ?? '';
		return growing && at === texts.length - 1
			? this.inline.open(text, at)
			: this.inline.whole(text, at);
	}
}

function isTaskText(block: Block): boolean {
	const item = block.parent;
	return (
		block.type === 'paragraph' &&
		item?.type === 'item' &&
		item.children[0] === block &&
		TASK.test(block.text)
	);
}

function withoutBlankEnd(text: string): string {
	let end = text.trimEnd().length;
	while (end < text.length && text[end] !== '\n') end++; // spaces after the last code stay
	return text.slice(0, end);
}

function language(block: Block): string {
	return LANGUAGE.exec(block.fence?.info ?? '')?.[0] ?? '';
}

function math(block: Block): Pick<MathView, 'tex' | 'source'> {
	const { tex, isWhole } = mathOf(block.level, block.text);
	// what never came to its end is text
	return { tex: isWhole || block.open ? tex : '', source: block.text.trimEnd() };
}

/**
 * HTML of a kind that shows nothing, or runs, is shown as the code it is; so is a comment that
 * never ends, which would swallow the rest of the answer.
 */
function html(block: Block, base: Keyed): HtmlView | CodeView {
	const isPre = /^<pre/i.test(block.text);
	const isComment = block.level === COMMENT && (block.open || block.text.includes('-->'));
	if (block.level >= FIRST_PLAIN_HTML || isPre || isComment)
		return { ...base, kind: 'html', html: block.text };
	return { ...base, kind: 'code', language: 'html', text: block.text.trimEnd() };
}
