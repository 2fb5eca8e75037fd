/**
 * Owns reading the backend's search snippets: HTML-escaped text with `<mark>` around the hits.
 * Gives plain text in pieces, so that no HTML is ever put into the page for them.
 */

export interface SnippetPart {
	text: string;
	isMarked: boolean;
}

const ENTITIES: Record<string, string> = {
	'&amp;': '&',
	'&lt;': '<',
	'&gt;': '>',
	'&quot;': '"',
	'&#x27;': "'",
	'&#39;': "'"
};

/** Marks of Markdown that a reader does not want to see in two lines of text. */
const MARKS = /\*\*|~~|`+|^#{1,6} /gm;

/** @param isMarkdown whether it is of an answer, whose marks are left out */
export function markedParts(snippet: string, isMarkdown = false): SnippetPart[] {
	return (isMarkdown ? snippet.replace(MARKS, '') : snippet)
		.split(/(<mark>[\s\S]*?<\/mark>)/)
		.filter(Boolean)
		.map((piece) => {
			const marked = /^<mark>([\s\S]*)<\/mark>$/.exec(piece);
			return { text: unescape(marked?.[1] ?? piece), isMarked: marked !== null };
		});
}

function unescape(text: string): string {
	return text.replace(/&(?:amp|lt|gt|quot|#x27|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
