/** Owns reading files that were pasted or dropped, as text. Does not put the text anywhere. */

/** A message of the server's usual limit holds about so much. */
export const MAX_FILE_BYTES = 100_000;
/** So much of a file tells whether it is text at all. */
const SNIFFED_BYTES = 8_192;

export interface TextFiles {
	/** Each with its name above, as Markdown shows it. */
	texts: string[];
	/** Name and reason of each that was left out. */
	refused: [name: string, reason: 'too_large' | 'not_text'][];
}

export async function readTextFiles(files: readonly File[]): Promise<TextFiles> {
	const found: TextFiles = { texts: [], refused: [] };
	for (const file of files) {
		if (file.size > MAX_FILE_BYTES) found.refused.push([file.name, 'too_large']);
		else {
			const text = decode(new Uint8Array(await file.arrayBuffer()));
			if (text === null) found.refused.push([file.name, 'not_text']);
			else found.texts.push(quoted(file.name, text));
		}
	}
	return found;
}

function decode(bytes: Uint8Array): string | null {
	if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return null;
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return null;
	}
}

/** A fence longer than any inside, so that the file stays one block. */
function quoted(name: string, text: string): string {
	const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([fence]) => fence.length));
	const fence = '`'.repeat(longest + 1);
	const language = /\.(\w{1,10})$/.exec(name)?.[1] ?? '';
	return `${name}\n${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`;
}
