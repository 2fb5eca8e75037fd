/** Owns how many lines a text takes, about, before it is laid out. */

/** Chinese, Japanese, Korean: twice as wide as Latin letters. */
const WIDE = /[\u2e80-\uffff]/g;

/** @param columns so many Latin letters stand in a line */
export function linesOf(text: string, columns: number): number {
	const wide = text.match(WIDE)?.length ?? 0;
	const characters = columns / (1 + wide / Math.max(1, text.length));
	let lines = 0;
	for (const line of text.split('\n')) lines += Math.max(1, Math.ceil(line.length / characters));
	return lines;
}
