/**
 * Owns the part of a chat's messages that is here: what is missing of the tree, and taking in more of it.
 * Pure; does not fetch.
 */

import type { Message } from '$lib/types/wire';
import { withoutMessage, type Tree } from './path';

/** Whether nothing is missing. An empty tree is whole. */
export function isWhole(tree: Tree): boolean {
	for (const message of tree.values()) {
		const { parent_id } = message;
		if ((parent_id !== null && !tree.has(parent_id)) || !hasSiblings(tree, message)) return false;
	}
	return true;
}

/** Whether all that is below `messageId` is here. */
export function isWholeBelow(tree: Tree, messageId: string): boolean {
	const above = withoutMessage(tree, messageId);
	for (const [id, message] of tree)
		if (id !== messageId && !above.has(id) && !hasSiblings(tree, message)) return false;
	return true;
}

/**
 * Whether `message` is of a part that is not here: something newer is, so it was there before the page looked.
 * It comes with its branch.
 */
export function isElsewhere(tree: Tree, message: Message): boolean {
	if (tree.has(message.id) || isWhole(tree)) return false;
	return [...tree.values()].some(({ created_at }) => created_at > message.created_at);
}

/** `tree` with messages that were there before, parents before their children; never one that is deleted by now. */
export function withOlder(
	tree: Tree,
	messages: readonly Message[],
	deleted: ReadonlySet<string>
): Tree {
	const gone = new Set(deleted);
	const next = new Map<string, Message>();
	for (const message of messages) {
		const known = tree.get(message.id);
		if (isGone(gone, message)) gone.add(message.id);
		else next.set(message.id, known && known.updated_at >= message.updated_at ? known : message);
	}
	// What was deleted may be above all that was here: then nobody knew that this was below it.
	for (const [id, message] of tree) {
		if (next.has(id)) continue;
		if (isGone(gone, message)) gone.add(id);
		else next.set(id, message);
	}
	for (const [id, message] of gone.size > 0 ? next : []) {
		const sibling_ids = message.sibling_ids.filter((sibling) => !gone.has(sibling));
		if (sibling_ids.length < message.sibling_ids.length) next.set(id, { ...message, sibling_ids });
	}
	return next;
}

function hasSiblings(tree: Tree, { sibling_ids }: Message): boolean {
	return sibling_ids.every((id) => tree.has(id));
}

function isGone(gone: ReadonlySet<string>, { id, parent_id }: Message): boolean {
	return gone.has(id) || (parent_id !== null && gone.has(parent_id));
}
