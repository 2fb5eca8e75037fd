/**
 * The block structure of Markdown (CommonMark and GFM tables), line by line as the text comes:
 * each line is read once, and a closed block never changes again.
 * Knows nothing of inline markup, HTML output or rendering.
 */
import { Definitions } from './definitions';
import { Line } from './line';
import { mathEnds } from './math';
import { endsHtml, STARTS, type Site, type Started } from './starts';
import { Block, Draft, endLine, type Align, type BlockType } from './tree';

const FENCE_CLOSE = /^(?:`{3,}|~{3,})[ \t]*$/;
const ENDS_AT_BLANK: ReadonlySet<BlockType> = new Set(['paragraph', 'table', 'math']);
const LAST_HTML_WITH_END = 5; // kinds 6 and 7 end at a blank line

type Continues = 'yes' | 'no' | 'done';

export class BlockParser {
	readonly root = new Block('document', 0);
	readonly definitions = new Definitions();
	readonly #draft = new Draft();
	#tip = this.root;
	#oldTip = this.root;
	#matched = this.root;
	#lineNumber = 0;

	/** Reads one whole line, without its line end. */
	push(text: string): void {
		const line = new Line(
			text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text,
			++this.#lineNumber
		);
		this.#oldTip = this.#tip;
		const matched = this.#matchOpen(line);
		if (!matched) return;
		this.#matched = matched;
		const started = this.#start(line, matched);
		if (started.done) return;
		this.#addText(line, started.container);
	}

	/** Reads a line that is not whole yet, or the end, so that `takeBack` can undo it. */
	draft(read: () => void): void {
		const tip = this.#tip;
		const number = this.#lineNumber;
		this.#draft.begin();
		this.#draft.onRollBack(() => {
			this.#tip = tip;
			this.#lineNumber = number;
		});
		read();
	}

	takeBack(): void {
		this.#draft.rollBack();
	}

	/** The end of the text: everything is closed. */
	finish(): void {
		for (let block: Block | null = this.#tip; block; block = this.#close(block));
	}

	/** Whether the next line would go into an open code block as it is. */
	get openFence(): Block | null {
		return this.#tip.type === 'fence' && this.#tip.open ? this.#tip : null;
	}

	/** Walks down the open blocks as far as the line goes on with them; null if it is used up. */
	#matchOpen(line: Line): Block | null {
		let matched = this.root;
		for (let child = matched.last; child?.open; child = matched.last) {
			const continues = this.#continues(child, line);
			if (continues === 'done') return null;
			if (continues === 'no') break;
			matched = child;
		}
		return matched;
	}

	#continues(block: Block, line: Line): Continues {
		if (ENDS_AT_BLANK.has(block.type)) return line.blank ? 'no' : 'yes';
		switch (block.type) {
			case 'list':
				return 'yes';
			case 'quote':
				return this.#continuesQuote(block, line);
			case 'item':
				return continuesItem(block, line);
			case 'note':
				return continuesNote(block, line);
			case 'fence':
				return this.#continuesFence(block, line);
			case 'indented':
				return continuesIndented(line);
			case 'html':
				return line.blank && block.level > LAST_HTML_WITH_END ? 'no' : 'yes';
			default:
				return 'no';
		}
	}

	#continuesQuote(block: Block, line: Line): Continues {
		if (line.indented || line.char !== '>') return 'no';
		line.skipIndent();
		line.advance(1);
		if (line.atSpace()) line.advanceColumns(1);
		this.#draft.set(block, 'lastLine', line.number);
		return 'yes';
	}

	#continuesFence(block: Block, line: Line): Continues {
		const fence = block.fence;
		if (!fence) return 'no';
		const close = line.indented ? null : FENCE_CLOSE.exec(line.content);
		if (close && line.char === fence.char && close[0].trimEnd().length >= fence.length) {
			this.#draft.set(block, 'lastLine', line.number);
			this.#close(block);
			return 'done';
		}
		line.advanceColumns(Math.min(fence.indent, line.indent));
		return 'yes';
	}

	#start(line: Line, matched: Block): { container: Block; done: boolean } {
		let container = matched;
		let more = container.type === 'paragraph' || !container.acceptsLines;
		while (more) {
			const started = this.#tryStarts(line, container);
			if (started === 'done') return { container, done: true };
			if (started === null) {
				line.skipIndent();
				break;
			}
			container = this.#tip;
			more = started === 'container';
		}
		return { container, done: false };
	}

	#tryStarts(line: Line, container: Block): Started {
		const site = this.#site(container);
		for (const start of STARTS) {
			const started = start(line, site);
			if (started) return started;
		}
		return null;
	}

	#site(container: Block): Site {
		return {
			container,
			interrupts: this.#tip.type === 'paragraph',
			lazy: this.#oldTip !== this.#matched && this.#tip.type === 'paragraph',
			add: (type) => this.#add(type),
			set: (block, key, value) => this.#draft.set(block, key, value),
			closeUnmatched: () => this.#closeUnmatched(),
			takeDefinitions: (paragraph) => this.#takeDefinitions(paragraph),
			addNote: (label) => this.definitions.addNote(label, this.#draft),
			startTable: (paragraph, align) => this.#startTable(paragraph, align ?? [])
		};
	}

	#addText(line: Line, container: Block): void {
		const lazy = this.#oldTip !== this.#matched && this.#tip === this.#oldTip;
		if (lazy && !line.blank && this.#tip.type === 'paragraph') {
			this.#addLine(this.#tip, line);
			return;
		}
		this.#closeUnmatched();
		if (container.acceptsLines) {
			const isFirst = container.text === '';
			this.#addLine(container, line);
			if (isEnd(container, line, isFirst)) this.#close(container);
		} else if (container.type === 'table' && !line.blank) {
			this.#addRow(container, line.content);
		} else if (!line.blank) {
			this.#addLine(this.#add('paragraph'), line);
		}
	}

	#addLine(block: Block, line: Line): void {
		const rest = line.rest;
		const isParagraph = block.type === 'paragraph';
		const text = isParagraph
			? (block.text ? block.text + '\n' : '') + rest
			: block.text + rest + '\n';
		this.#draft.set(block, 'text', text);
		if (block.type !== 'indented' || !line.blank) this.#draft.set(block, 'lastLine', line.number);
	}

	#addRow(table: Block, text: string): void {
		const row = new Block('row', this.#lineNumber);
		row.open = this.#draft.drafting;
		row.text = text;
		this.#draft.append(table, row);
		this.#draft.set(table, 'lastLine', this.#lineNumber);
	}

	#startTable(paragraph: Block, align: readonly Align[]): void {
		const lines = paragraph.text.split('\n');
		const header = lines.pop() ?? '';
		let table = paragraph;
		if (lines.length > 0) {
			this.#draft.set(paragraph, 'text', lines.join('\n'));
			table = this.#add('table');
		} else {
			this.#draft.set(paragraph, 'type', 'table');
			this.#draft.set(paragraph, 'text', '');
		}
		this.#draft.set(table, 'align', align);
		this.#addRow(table, header);
	}

	#add(type: BlockType): Block {
		while (!this.#tip.accepts(type)) this.#close(this.#tip);
		const parent = this.#tip;
		const previous = parent.last;
		if (previous && endLine(previous) < this.#lineNumber - 1) this.#loosen(parent);
		const block = new Block(type, this.#lineNumber);
		this.#draft.append(parent, block);
		this.#tip = block;
		return block;
	}

	/** A blank line between two items, or between two blocks of an item, makes the list loose. */
	#loosen(parent: Block): void {
		const list = parent.type === 'item' ? parent.parent : parent;
		if (list?.type === 'list') this.#draft.set(list, 'loose', true);
	}

	#closeUnmatched(): void {
		while (this.#oldTip !== this.#matched) {
			const parent = this.#close(this.#oldTip);
			if (!parent) break;
			this.#oldTip = parent;
		}
	}

	#close(block: Block): Block | null {
		this.#draft.set(block, 'open', false);
		if (block.type === 'paragraph') this.#takeDefinitions(block);
		if (block.parent) this.#tip = block.parent;
		return block.parent;
	}

	#takeDefinitions(paragraph: Block): boolean {
		if (!/^ {0,3}\[/.test(paragraph.text)) return true;
		const rest = this.definitions.takeFrom(paragraph.text, this.#draft);
		this.#draft.set(paragraph, 'text', rest);
		if (rest.trim()) return true;
		if (!paragraph.open && paragraph.parent) this.#draft.removeLast(paragraph.parent);
		return false;
	}
}

function isEnd({ type, level }: Block, line: Line, isFirst: boolean): boolean {
	if (type === 'html') return endsHtml(level, line.rest);
	return type === 'math' && mathEnds(level, line.rest, isFirst);
}

function continuesItem(block: Block, line: Line): Continues {
	if (line.blank) {
		if (block.children.length === 0) return 'no';
		line.skipIndent();
		return 'yes';
	}
	const width = (block.marker?.offset ?? 0) + (block.marker?.padding ?? 0);
	if (line.indent < width) return 'no';
	line.advanceColumns(width);
	return 'yes';
}

function continuesNote({ children }: Block, line: Line): Continues {
	if (line.blank ? children.length === 0 : !line.indented) return 'no';
	if (line.blank) line.skipIndent();
	else line.advanceColumns(4);
	return 'yes';
}

function continuesIndented(line: Line): Continues {
	if (line.indented) line.advanceColumns(4);
	else if (line.blank) line.skipIndent();
	else return 'no';
	return 'yes';
}
