/**
 * Owns going to a message that was found: it is fetched if it is not here, its branch is shown, it is scrolled into
 * view, and the words are marked.
 * Does not open the chat; the link does.
 */

import { tick } from 'svelte';
import type { AppStore } from '$lib/stores/app.svelte';

/** So long the chat may take to come, and to be drawn up to the message. */
const PATIENCE_MS = 20_000;
/** So many frames without a move, out of so many at most. */
const CALM_FRAMES = 6;
const MOST_FRAMES = 60;
const HIGHLIGHT = 'search-hit';
/** What the search takes for one word's end. */
const BETWEEN_WORDS = /\s+/;

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
let turn = 0;

/** @throws Failure the message could not be fetched */
export async function jumpTo(app: AppStore, chatId: string, messageId: string, query: string) {
	const mine = ++turn;
	const end = performance.now() + PATIENCE_MS;
	for (; performance.now() < end && mine === turn; await frame()) {
		const message = await shown(app, chatId, messageId);
		if (!message) continue;
		const words = rangesOf(message, query);
		await hold(words[0]?.startContainer.parentElement ?? message);
		mark(words);
		return;
	}
}

/** Scrolls there, and again while what still grows or follows the end moves it away. */
async function hold(place: HTMLElement) {
	for (let calm = 0, left = MOST_FRAMES; calm < CALM_FRAMES && left > 0; left--) {
		const { top, bottom } = place.getBoundingClientRect();
		calm = top >= 0 && bottom <= innerHeight ? calm + 1 : 0;
		if (calm === 0) place.scrollIntoView({ block: 'center' });
		await frame();
	}
}

/** The message on the screen, its branch shown for it; null while it is not there. */
async function shown(app: AppStore, chatId: string, messageId: string) {
	const { store, history } = app.open ?? {};
	if (!history || store?.id !== chatId || store.phase !== 'ready') return null;
	if (!store.tree.has(messageId)) await history.whole();
	if (!store.tree.has(messageId)) return null;
	if (!store.path.some(({ id }) => id === messageId)) store.showBranch(messageId);
	store.sought = messageId;
	await tick();
	const named = `[data-message-id="${CSS.escape(messageId)}"]`;
	const message = document.querySelector<HTMLElement>(named);
	return message?.textContent?.trim() ? message : null;
}

export function unmark() {
	turn++;
	mark([]);
}

function mark(ranges: Range[]) {
	if (!('highlights' in CSS)) return;
	if (ranges.length === 0) CSS.highlights.delete(HIGHLIGHT);
	else CSS.highlights.set(HIGHLIGHT, new Highlight(...ranges));
}

/** Where the words stand in the text as it is shown; the page's nodes stay as they are. */
function rangesOf(message: HTMLElement, query: string): Range[] {
	const words = query.trim().toLowerCase().split(BETWEEN_WORDS).filter(Boolean);
	const ranges: Range[] = [];
	for (const box of message.querySelectorAll('[data-testid=content]')) {
		const texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
		while (texts.nextNode()) ranges.push(...rangesIn(texts.currentNode as Text, words));
	}
	return ranges;
}

function rangesIn(node: Text, words: string[]): Range[] {
	const text = node.data.toLowerCase();
	if (text.length !== node.data.length) return []; // places differ where case changes the length
	return words.flatMap((word) => {
		const found: Range[] = [];
		for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
			const range = new Range();
			range.setStart(node, at);
			range.setEnd(node, at + word.length);
			found.push(range);
		}
		return found;
	});
}
