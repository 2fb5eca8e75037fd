/** Owns how long to wait before a command that failed is tried again. Does not wait. */

import type { Failure } from '$lib/types/failure';

const FIRST_MS = 2_000;
const LONGEST_MS = 30_000;
/** Pages that were refused together do not come back together. */
const SPREAD_MS = 500;

/** What the server asked for, else twice as long each time; with some chance on top, in milliseconds. */
export function retryAfterMs(failure: Failure, tries: number, chance = Math.random()): number {
	const asked = failure.retryAfterS === null ? null : failure.retryAfterS * 1_000;
	const wait = asked ?? Math.min(LONGEST_MS, FIRST_MS * 2 ** (tries - 1));
	return wait + chance * SPREAD_MS;
}
