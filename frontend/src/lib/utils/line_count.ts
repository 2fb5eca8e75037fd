/** Owns how many lines a text takes, about, before it is laid out. */

/** Of Latin text in the widest column. */
const CHARACTERS = 90;

export function linesOf(text: string): number {
	let lines = 0;
	for (const line of text.split('\n')) lines += Math.max(1, Math.ceil(line.length / CHARACTERS));
	return lines;
}
