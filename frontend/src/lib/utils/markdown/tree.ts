/**
 * The tree of Markdown blocks while it grows, and the draft that can be taken back.
 * Knows no Markdown syntax and makes no HTML.
 */
export type BlockType =
	| 'document'
	| 'quote'
	| 'list'
	| 'item'
	| 'paragraph'
	| 'heading'
	| 'rule'
	| 'fence'
	| 'math'
	| 'indented'
	| 'html'
	| 'table'
	| 'row'
	| 'note';

export type Align = 'left' | 'center' | 'right' | null;

export interface ListMarker {
	ordered: boolean;
	/** `-`, `+` or `*`; `.` or `)` after a number. */
	sign: string;
	start: number;
	/** Columns from the line's start to the marker, and from there to the text. */
	offset: number;
	padding: number;
}

export interface FenceMarker {
	char: string;
	length: number;
	indent: number;
	info: string;
}

export class Block {
	parent: Block | null = null;
	readonly children: Block[] = [];
	open = true;
	/** Source of a leaf: its lines without their containers' markers. */
	text = '';
	/** Last line with something in it, children apart; blank lines between siblings show by it. */
	lastLine: number;
	/** Heading level, the kind (1 to 7) of an HTML block, or (1 or 2) of a formula, a footnote's number (0: none). */
	level = 0;
	loose = false;
	marker: ListMarker | null = null;
	fence: FenceMarker | null = null;
	align: readonly Align[] = [];
	/** Grows with every change of the block or of anything below it. */
	revision = 0;

	constructor(
		public type: BlockType,
		readonly startLine: number
	) {
		this.lastLine = startLine;
	}

	get depth(): number {
		return this.parent ? this.parent.depth + 1 : 0;
	}

	get last(): Block | undefined {
		return this.children.at(-1);
	}

	get acceptsLines(): boolean {
		return ['paragraph', 'fence', 'math', 'indented', 'html'].includes(this.type);
	}

	accepts(child: BlockType): boolean {
		if (child === 'note') return this.type === 'document';
		if (this.type === 'list') return child === 'item';
		if (this.type === 'table') return child === 'row';
		const isContainer = ['document', 'quote', 'item', 'note'].includes(this.type);
		return isContainer && child !== 'item' && child !== 'row';
	}
}

/** Last line with something in the block or below it. */
export function endLine(block: Block): number {
	const last = block.last;
	return last ? Math.max(block.lastLine, endLine(last)) : block.lastLine;
}

/**
 * Every change of the tree goes through here. Between `begin` and `rollBack` changes are
 * drafted: an unfinished line is shown as what it would be if it ended now, and taken back
 * when more of it is known.
 */
export class Draft {
	#undo: (() => void)[] | null = null;

	begin(): void {
		this.#undo = [];
	}

	get drafting(): boolean {
		return this.#undo !== null;
	}

	rollBack(): void {
		for (const undo of this.#undo?.reverse() ?? []) undo();
		this.#undo = null;
	}

	/** Drafts something kept outside the tree. */
	onRollBack(undo: () => void): void {
		this.#undo?.push(undo);
	}

	set<K extends keyof Block>(block: Block, key: K, value: Block[K]): void {
		const old = block[key];
		if (old === value) return;
		block[key] = value;
		touch(block);
		this.#undo?.push(() => {
			block[key] = old;
			touch(block);
		});
	}

	append(parent: Block, child: Block): void {
		child.parent = parent;
		parent.children.push(child);
		touch(parent);
		this.#undo?.push(() => {
			parent.children.pop();
			touch(parent);
		});
	}

	/** Takes the last child away. */
	removeLast(parent: Block): void {
		const child = parent.children.pop();
		if (!child) return;
		touch(parent);
		this.#undo?.push(() => {
			parent.children.push(child);
			touch(parent);
		});
	}
}

export function touch(block: Block): void {
	for (let at: Block | null = block; at; at = at.parent) at.revision++;
}
