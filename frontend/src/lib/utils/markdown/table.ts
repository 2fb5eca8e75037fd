/**
 * Tables of GitHub Flavored Markdown: the delimiter row and the splitting of a row into cells.
 * Does not decide where a table begins or ends; the block parser does.
 */
import type { Align } from './tree';

const DELIMITER = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Alignment of each column, or null if the line is no delimiter row. */
export function delimiterRow(line: string): Align[] | null {
	if (!/[|:]/.test(line) || !DELIMITER.test(line)) return null;
	return splitRow(line).map((cell) => {
		const left = cell.startsWith(':');
		const right = cell.endsWith(':');
		if (left && right) return 'center';
		if (right) return 'right';
		return left ? 'left' : null;
	});
}

/** The cells of a row. A pipe is escaped by a backslash, inside code too. */
export function splitRow(line: string): string[] {
	const row = line.trim();
	const cells: string[] = [];
	let cell = '';
	for (let at = row.startsWith('|') ? 1 : 0; at < row.length; at++) {
		const char = row.charAt(at);
		if (char === '\\') {
			const next = row.charAt(at + 1);
			cell += next === '|' ? '|' : char + next;
			at++;
		} else if (char === '|') {
			cells.push(cell.trim());
			cell = '';
		} else {
			cell += char;
		}
	}
	if (cell.trim() || !row.endsWith('|') || cells.length === 0) cells.push(cell.trim());
	return cells;
}
