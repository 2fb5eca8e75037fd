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
		await hold(message, words[0]);
		mark(words);
		return;
	}
}

/**
 * Scrolls to the words, or to the beginning of the message where they are not seen, and again while what still
 * grows or follows the end moves it away. What the words stand in may be higher than the window.
 */
async function hold(message: HTMLElement, words: Range | undefined) {
	const region = message.closest<HTMLElement>('[data-conversation]');
	words?.startContainer.parentElement?.scrollIntoView({ block: 'nearest' });
	showSideways(words);
	for (let calm = 0, left = MOST_FRAMES; region && calm < CALM_FRAMES && left > 0; left--) {
		const window = region.getBoundingClientRect();
		const { top, height } = (words ?? message).getBoundingClientRect();
		const bottom = top + (words ? height : 0);
		calm = top >= window.top && bottom <= window.bottom ? calm + 1 : 0;
		if (calm === 0) region.scrollTop += (top + bottom - window.top - window.bottom) / 2;
		await frame();
	}
}

/** In code and tables, which scroll by themselves. */
function showSideways(words: Range | undefined) {
	const box = words?.startContainer.parentElement?.closest<HTMLElement>('pre, .table');
	if (!words || !box) return;
	const { left, right } = words.getBoundingClientRect();
	const window = box.getBoundingClientRect();
	if (left < window.left || right > window.right)
		box.scrollLeft += (left + right - window.left - window.right) / 2;
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
