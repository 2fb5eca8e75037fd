/**
 * Link reference definitions (`[label]: target "title"`): reading them off the head of a
 * paragraph, and the table of those and of the footnotes known so far.
 * Does not resolve references; the inline lexer does.
 */
import type { Draft } from './tree';

export interface Definition {
	href: string;
	title: string | undefined;
}

const LABEL = /^ {0,3}\[((?:\\[\s\S]|[^[\]\\]){1,999})\]:/;
const TARGET = /^[ \t]*\n?[ \t]*(?:<((?:\\.|[^\n<>\\])*)>|([^\s<]\S*))/;
const TITLE =
	/^(?:[ \t]+\n?[ \t]*|[ \t]*\n[ \t]*)("(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|\((?:\\[\s\S]|[^()\\])*\))/;
const LINE_END = /^[ \t]*(?:\n|$)/;
const ESCAPED = /\\([!-/:-@[-`{-~])/g;
const BLANK_LINE = /\n[ \t]*\n/;

/** Equal for labels that mean the same: case folded, white space collapsed. */
export function normalizeLabel(label: string): string {
	return label.trim().replace(/\s+/g, ' ').toLowerCase().toUpperCase().toLowerCase();
}

export class Definitions {
	/** In the shape marked looks them up; without a prototype, since labels are foreign text. */
	readonly links: Record<string, Definition> = Object.create(null) as Record<string, Definition>;
	/** The numbers of the footnotes, by their labels. */
	readonly notes: Record<string, number> = Object.create(null) as Record<string, number>;
	size = 0;
	#noteCount = 0;

	/** Takes the definitions off the head of a paragraph; returns what is left of it. */
	takeFrom(paragraph: string, draft: Draft): string {
		let rest = paragraph;
		for (let read = readDefinition(rest); read; read = readDefinition(rest)) {
			this.#add(read.label, read.definition, draft);
			rest = rest.slice(read.length);
		}
		return rest;
	}

	/** Takes a footnote up; returns its number, or 0 if its label has one already. */
	addNote(text: string, draft: Draft): number {
		const label = normalizeLabel(text);
		if (label in this.notes) return 0;
		this.notes[label] = ++this.#noteCount;
		this.size++;
		draft.onRollBack(() => {
			Reflect.deleteProperty(this.notes, label);
			this.#noteCount--;
			this.size--;
		});
		return this.#noteCount;
	}

	#add(label: string, definition: Definition, draft: Draft): void {
		if (label in this.links) return; // the first one counts
		this.links[label] = definition;
		this.size++;
		draft.onRollBack(() => {
			Reflect.deleteProperty(this.links, label);
			this.size--;
		});
	}
}

interface Read {
	label: string;
	definition: Definition;
	length: number;
}

function readDefinition(text: string): Read | null {
	const label = LABEL.exec(text);
	if (!label?.[1]?.trim()) return null;
	const target = TARGET.exec(text.slice(label[0].length));
	if (!target || !isBalanced(target[2] ?? '')) return null;
	const afterTarget = label[0].length + target[0].length;
	const title = readTitle(text.slice(afterTarget));
	const end = LINE_END.exec(text.slice(afterTarget + title.length));
	if (!end) return null;
	return {
		label: normalizeLabel(label[1]),
		definition: {
			href: (target[1] ?? target[2] ?? '').replace(ESCAPED, '$1'),
			title: title.text
		},
		length: afterTarget + title.length + end[0].length
	};
}

function isBalanced(target: string): boolean {
	let depth = 0;
	for (const paren of target.replace(/\\./g, '').match(/[()]/g) ?? []) {
		depth += paren === '(' ? 1 : -1;
		if (depth < 0) return false;
	}
	return depth === 0;
}

/** A title counts only if nothing follows it on its line; else the definition may end before it. */
function readTitle(text: string): { text: string | undefined; length: number } {
	const found = TITLE.exec(text);
	const none = { text: undefined, length: 0 };
	if (!found?.[1] || BLANK_LINE.test(found[0])) return none;
	if (!LINE_END.test(text.slice(found[0].length))) return none;
	return { text: found[1].slice(1, -1).replace(ESCAPED, '$1'), length: found[0].length };
}
