/**
 * Owns walking the tree of messages: the active path, siblings, leaves.
 * Pure; does not keep the tree.
 */

import type { Message } from '$lib/types/wire';

export type Tree = ReadonlyMap<string, Message>;

/** The messages from the root to `leafId`, oldest first. An unknown leaf gives an empty path. */
export function pathTo(tree: Tree, leafId: string | null): Message[] {
	const path: Message[] = [];
	const seen = new Set<string>();
	let message = leafId === null ? undefined : tree.get(leafId);
	while (message && !seen.has(message.id)) {
		seen.add(message.id);
		path.push(message);
		message = message.parent_id === null ? undefined : tree.get(message.parent_id);
	}
	return path.reverse();
}

/** The leaf one comes to from `messageId` by always taking the newest child, as the server does. */
export function newestLeaf(tree: Tree, messageId: string): string {
	const newest = new Map<string, Message>();
	for (const message of tree.values()) {
		if (message.parent_id === null) continue;
		const rival = newest.get(message.parent_id);
		if (!rival || isNewer(message, rival)) newest.set(message.parent_id, message);
	}
	let leaf = messageId;
	for (let next = newest.get(leaf); next; next = newest.get(leaf)) leaf = next.id;
	return leaf;
}

/** The leaf below the newest root, if there is any. */
export function newestRootLeaf(tree: Tree): string | null {
	const roots = [...tree.values()].filter((message) => message.parent_id === null);
	const newest = roots.sort((one, other) => (one.created_at < other.created_at ? 1 : -1)).at(0);
	return newest ? newestLeaf(tree, newest.id) : null;
}

/** `tree` with `message` in it; its siblings learn of each other. An older state changes nothing. */
export function withMessage(tree: Tree, message: Message): Tree {
	const known = tree.get(message.id);
	if (known && known.updated_at > message.updated_at) return tree;
	const next = new Map(tree).set(message.id, message);
	for (const id of message.sibling_ids) {
		const sibling = next.get(id);
		if (sibling && sibling.id !== message.id)
			next.set(id, { ...sibling, sibling_ids: message.sibling_ids });
	}
	return next;
}

/** `tree` without `messageId` and everything below it. */
export function withoutMessage(tree: Tree, messageId: string): Tree {
	const gone = new Set([messageId]);
	// Parents stand before their children in no particular order: repeat until nothing is added.
	for (let before = 0; before !== gone.size;) {
		before = gone.size;
		for (const message of tree.values())
			if (message.parent_id !== null && gone.has(message.parent_id)) gone.add(message.id);
	}
	const next = new Map<string, Message>();
	for (const message of tree.values()) {
		if (gone.has(message.id)) continue;
		const sibling_ids = message.sibling_ids.filter((id) => !gone.has(id));
		const untouched = sibling_ids.length === message.sibling_ids.length;
		next.set(message.id, untouched ? message : { ...message, sibling_ids });
	}
	return next;
}

/** Whether `message` is an answer that was cut short and can go on: nothing was said after it. */
export function canContinue(tree: Tree, message: Message): boolean {
	const { status, metadata } = message;
	const isCut =
		status === 'stopped' || status === 'interrupted' || metadata.finish_reason === 'length';
	if (!isCut || message.role !== 'assistant' || !metadata.run_id) return false;
	return ![...tree.values()].some(({ parent_id }) => parent_id === message.id);
}

/** How many messages are below `messageId`, itself not counted. */
export function countBelow(tree: Tree, messageId: string): number {
	return tree.size - withoutMessage(tree, messageId).size - 1;
}

function isNewer(message: Message, rival: Message): boolean {
	if (message.created_at !== rival.created_at) return message.created_at > rival.created_at;
	return message.id > rival.id;
}
