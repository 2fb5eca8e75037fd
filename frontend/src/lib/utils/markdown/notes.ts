/**
 * References to footnotes (`[^label]`) in a line, for marked.
 * Does not read the footnotes themselves; the block parser does.
 */
import type { MarkedExtension, Tokens } from 'marked';
import { normalizeLabel } from './definitions';

const REFERENCE = /^\[\^((?:\\.|[^[\]\\\s]){1,100})\]/;
/** What a reference links to; ids would be shared by all answers of the page. */
const TARGET = '#note-';

/** The number of the footnote a link leads to, or 0 for any other link. */
export function noteNumber(href: string): number {
	const number = href.startsWith(TARGET) ? Number(href.slice(TARGET.length)) : 0;
	return Number.isInteger(number) ? number : 0;
}

/** `numbers`: those of the footnotes known so far, by their labels; any other reference is text. */
export function noteReferences(numbers: Record<string, number>): MarkedExtension {
	return {
		extensions: [
			{
				name: 'note',
				level: 'inline',
				// Without a `start`: marked stops at every bracket by itself.
				tokenizer: (source) => {
					const found = REFERENCE.exec(source);
					const number = found?.[1] && numbers[normalizeLabel(found[1])];
					return found && number ? { type: 'note', raw: found[0], number } : undefined;
				},
				renderer: ({ number }: Tokens.Generic) =>
					`<sup><a href="${TARGET}${String(number)}">${String(number)}</a></sup>`
			}
		]
	};
}
