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

/** What Windows calls "Unicode" begins so; it is full of zeros where other text has none. */
const UTF_16: [encoding: string, first: number, second: number][] = [
	['utf-16le', 0xff, 0xfe],
	['utf-16be', 0xfe, 0xff]
];
const PRIVATE_USE = /[\ue000-\uf8ff]/;
const HAN = /\p{Script=Han}/u;

function decode(bytes: Uint8Array): string | null {
	const marked = UTF_16.find(([, first, second]) => bytes[0] === first && bytes[1] === second);
	if (marked) return decodedAs(marked[0], bytes);
	if (bytes.subarray(0, SNIFFED_BYTES).includes(0)) return null;
	return decodedAs('utf-8', bytes) ?? inChinese(decodedAs('gb18030', bytes));
}

function decodedAs(encoding: string, bytes: Uint8Array): string | null {
	try {
		return new TextDecoder(encoding, { fatal: true }).decode(bytes);
	} catch {
		return null;
	}
}

/** Other bytes are read as that too, now and then: they give characters that nobody uses. */
const inChinese = (text: string | null) =>
	text !== null && HAN.test(text) && !PRIVATE_USE.test(text) ? text : null;

/** A fence longer than any inside, so that the file stays one block. */
function quoted(name: string, text: string): string {
	const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([fence]) => fence.length));
	const fence = '`'.repeat(longest + 1);
	const language = /\.(\w{1,10})$/.exec(name)?.[1] ?? '';
	return `${name}\n${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`;
}
