/**
 * Owns how many of the newest turns surely fill a tall window: those that are drawn first.
 * Does not measure: nothing is drawn yet.
 */

import type { Message } from '$lib/types/wire';

/** Of one-liners. */
const MOST_TURNS = 16;
const LEAST_TURNS = 2;
/** About 2,000 px of the widest column; every turn takes the room of so many more with its spaces and actions. */
const CHARACTERS = 7000;
const CHARACTERS_AROUND = 400;

export function windowful(path: readonly Pick<Message, 'content'>[]): number {
	let turns = 0;
	let characters = 0;
	for (const { content } of path.slice(-MOST_TURNS).reverse()) {
		if (turns >= LEAST_TURNS && characters >= CHARACTERS) break;
		turns += 1;
		characters += content.length + CHARACTERS_AROUND;
	}
	return turns;
}
