import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { chunkings, documents, NASTY, prefixes } from '$lib/utils/markdown/testing/documents';
import { streams } from '$lib/utils/markdown/testing/streams';
import * as sanitiser from '$lib/utils/markdown/sanitize';
import MarkdownView from './MarkdownView.svelte';

vi.mock('$lib/utils/markdown/sanitize', { spy: true });

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

type Screen = Awaited<ReturnType<typeof show>>;
const show = (text: string, streaming: boolean) => render(MarkdownView, { text, streaming });

function root(screen: Screen): HTMLElement {
	const found = screen.container.querySelector<HTMLElement>('.markdown');
	if (!found) throw new Error('no view');
	return found;
}

async function settled(screen: Screen): Promise<HTMLElement> {
	await expect.poll(() => root(screen).getAttribute('aria-busy')).toBe('false');
	return root(screen);
}

/** The DOM as a reader gets it: without the framework's anchors, neighbouring texts as one. */
function dom(element: HTMLElement): string {
	const copy = element.cloneNode(true) as HTMLElement;
	const comments = document.createTreeWalker(copy, NodeFilter.SHOW_COMMENT);
	const anchors: Node[] = [];
	while (comments.nextNode()) anchors.push(comments.currentNode);
	for (const anchor of anchors) anchor.parentNode?.removeChild(anchor);
	// colours come when their turn comes; the text and its pieces are what streaming decides
	for (const piece of copy.querySelectorAll('.piece'))
		piece.textContent = String(piece.textContent);
	// formulas are set when KaTeX is there
	for (const formula of copy.querySelectorAll('data, .math')) formula.textContent = '';
	// diagrams are drawn when they are near; that there is one, and how high, is what streaming decides
	for (const diagram of copy.querySelectorAll('.diagram')) diagram.textContent = '';
	for (const element of copy.querySelectorAll('*')) sortAttributes(element);
	return copy.innerHTML;
}

/** Their order is the order in which they were set, and means nothing. */
function sortAttributes(element: Element) {
	const attributes = [...element.attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
	for (const { name } of attributes) element.removeAttribute(name);
	for (const { name, value } of attributes) element.setAttribute(name, value);
}

async function atOnce(text: string): Promise<string> {
	const screen = await show(text, false);
	const html = dom(await settled(screen));
	await screen.unmount();
	return html;
}

async function streamed(text: string, lengths: readonly number[]): Promise<string> {
	const screen = await show('', true);
	for (const prefix of prefixes(text, lengths)) {
		await screen.rerender({ text: prefix, streaming: true });
		await frame();
	}
	await screen.rerender({ text, streaming: false });
	const html = dom(await settled(screen));
	await screen.unmount();
	return html;
}

test('a streamed text ends with the DOM of the same text at once, however it was cut', async () => {
	await fc.assert(
		fc.asyncProperty(documents, chunkings, async (text, lengths) => {
			const steps = lengths.map((length) => Math.max(length, Math.ceil(text.length / 8)));
			expect(await streamed(text, steps)).toBe(await atOnce(text));
		}),
		{ numRuns: 60 }
	);
}, 120_000);

test('so do texts that are nasty to stream', async () => {
	for (const text of NASTY) {
		const length = Math.ceil(text.length / 12);
		expect(await streamed(text, [length]), JSON.stringify(text)).toBe(await atOnce(text));
	}
}, 120_000);

test('no node of a finished block is replaced, not even at the end', async () => {
	const text = Object.entries(streams(1200))
		.filter(([name]) => name !== 'late definitions')
		.map(([, part]) => part)
		.join('\n\nBetween two.\n\n');
	const screen = await show('', true);
	const finished = new Map<Element, string>();
	const removed: string[] = [];
	const observer = new MutationObserver((changes) => {
		for (const { target, removedNodes } of changes) {
			const block = blockOf(target);
			const isAnchor = [...removedNodes].every((node) => node.nodeType === Node.COMMENT_NODE);
			if (block && finished.has(block) && removedNodes.length > 0 && !isAnchor)
				removed.push(block.outerHTML.slice(0, 200));
		}
	});
	observer.observe(root(screen), { childList: true, characterData: true, subtree: true });
	const blockOf = (node: Node) => {
		let at: Node | null = node;
		while (at && at.parentNode?.parentNode !== root(screen)) at = at.parentNode;
		return at instanceof Element ? at : null;
	};

	for (const prefix of prefixes(text, [90])) {
		await screen.rerender({ text: prefix, streaming: true });
		await frame();
		// what the last, unfinished line closed may still be taken back
		for (const block of [...root(screen).querySelectorAll(':scope > * > *')].slice(0, -2))
			if (!block.classList.contains('code')) finished.set(block, block.textContent);
	}
	await screen.rerender({ text, streaming: false });
	await settled(screen);

	expect(finished.size).toBeGreaterThan(25);
	expect(removed).toEqual([]);
	for (const [block, content] of finished) {
		expect(block.isConnected, content.slice(0, 80)).toBe(true);
		expect(block.textContent).toBe(content);
	}
}, 120_000);

test.each([
	['items of a list', 'list', 'li'],
	['items of a nested list', 'nested list', 'li'],
	['rows of a table', 'table', 'tr'],
	['pieces of code', 'fence', '.piece']
])('%s keep their nodes while their block grows', async (_name, stream, selector) => {
	const text = streams(6000)[stream] ?? '';
	const screen = await show('', true);
	const seen: Element[] = [];

	for (const prefix of prefixes(text, [250])) {
		await screen.rerender({ text: prefix, streaming: true });
		await frame();
		await frame();
		const parts = [...root(screen).querySelectorAll(selector)];
		seen.push(...parts.slice(seen.length, -1));
	}
	await screen.rerender({ text, streaming: false });
	await settled(screen);

	expect(seen.length).toBeGreaterThan(1);
	expect(seen).toEqual([...root(screen).querySelectorAll(selector)].slice(0, seen.length));
});

test('nothing sets an attribute again while a block grows: each would style all below it anew', async () => {
	const text = Object.values(streams(1500)).join('\n\nBetween two.\n\n');
	const screen = await show('', true);
	const again: string[] = [];
	const observer = new MutationObserver((changes) => {
		for (const { attributeName, oldValue, target } of changes)
			if (target instanceof Element && target.getAttribute(attributeName ?? '') === oldValue)
				again.push(`${attributeName} of ${target.cloneNode(false)}`);
	});
	observer.observe(root(screen), { attributes: true, attributeOldValue: true, subtree: true });

	for (const prefix of prefixes(text, [120])) {
		await screen.rerender({ text: prefix, streaming: true });
		await frame();
	}

	expect(root(screen).querySelectorAll('table, pre, li, p').length).toBeGreaterThan(20);
	expect(again).toEqual([]);
});

test('a paragraph keeps the nodes of its finished segments while it grows', async () => {
	const text = streams(4000)['one paragraph'] ?? '';
	const screen = await show(text.slice(0, 2000), true);
	const first = root(screen).querySelector('strong');
	const paragraph = root(screen).querySelector('p');

	for (const prefix of prefixes(text, [2100, 200])) {
		await screen.rerender({ text: prefix, streaming: true });
		await frame();
	}
	await screen.rerender({ text, streaming: false });
	await settled(screen);

	expect(first).not.toBeNull();
	expect(root(screen).querySelector('strong')).toBe(first);
	expect(root(screen).querySelector('p')).toBe(paragraph);
});

test.each([
	['segments of a paragraph', 'one paragraph', 4000, 80],
	['pieces of code', 'fence', 12_000, 24],
	['rows of a table', 'table', 4000, 260],
	['items of a list', 'list', 4000, 170]
])('%s are sanitised and coloured once', async (_name, stream, length, most) => {
	const text = streams(length)[stream] ?? '';
	vi.mocked(sanitiser.sanitize).mockClear();
	vi.mocked(sanitiser.sanitizeCode).mockClear();
	const screen = await show('', true);

	for (const prefix of prefixes(text, [200])) {
		await screen.rerender({ text: prefix, streaming: true });
		await frame();
		await frame();
	}
	await screen.rerender({ text, streaming: false });
	await settled(screen);

	const made = [sanitiser.sanitize, sanitiser.sanitizeCode].map((one) => vi.mocked(one).mock.calls);
	const calls = made.flat().length;
	expect(calls).toBeGreaterThan(1);
	expect(calls).toBeLessThanOrEqual(most);
});

test('a late link definition changes only the blocks that use it', async () => {
	const text = 'Plain **text**.\n\nSee [a].\n\nMore *text*.\n\n[a]: https://a.example\n';
	const screen = await show(text.slice(0, -5), true);
	await frame();
	const before = [...root(screen).querySelectorAll('strong, em')];
	expect(root(screen).querySelector('a')).toBeNull();

	await screen.rerender({ text, streaming: false });
	await settled(screen);

	expect(root(screen).querySelector('a')?.getAttribute('href')).toBe('https://a.example');
	expect([...root(screen).querySelectorAll('strong, em')]).toEqual(before);
});

test('what is open at the end is shown closed', async () => {
	const screen = await show('Some **bold text', true);
	await frame();
	expect(root(screen).querySelector('strong')?.textContent).toBe('bold text');

	await screen.rerender({ text: 'Some **bold text** and [a link](https://exa', streaming: true });
	await expect.poll(() => root(screen).textContent).toBe('Some bold text and a link');

	const fence = 'Some **bold text** and [a link](https://example.org)\n\n```js\nlet a = 1;';
	await screen.rerender({ text: fence, streaming: true });
	await expect.poll(() => root(screen).querySelector('pre')?.textContent).toBe('let a = 1;');
});

test('a text that is another one is drawn anew', async () => {
	const screen = await show('first **text**', false);
	await screen.rerender({ text: 'second *text*', streaming: false });
	await expect.poll(() => root(screen).innerHTML).toContain('<em>text</em>');
	expect(root(screen).textContent).toBe('second text');
});

test('an answer that goes on after its end keeps what is shown', async () => {
	const screen = await show('first **text**\n\ncut', false);
	const strong = root(screen).querySelector('strong');

	await screen.rerender({ text: 'first **text**\n\ncut and gone on', streaming: true });
	await expect.poll(() => root(screen).textContent).toBe('first textcut and gone on');

	expect(root(screen).querySelector('strong')).toBe(strong);
});

test('an answer runs in the direction of its first letter, and each paragraph in its own', async () => {
	const text = '12. שלום עולם\n\nEnglish between.\n\n- פריט\n\n```js\nlet a;\n```\n';
	const screen = await show(text, false);
	await settled(screen);
	const style = (selector: string) => getComputedStyle(root(screen).querySelector(selector)!);

	expect(getComputedStyle(root(screen)).direction).toBe('rtl');
	expect(style('ul').direction).toBe('rtl');
	expect(style('p').unicodeBidi).toBe('plaintext');
	expect(style('.code').direction).toBe('ltr');
	await screen.rerender({ text: 'English first, then שלום.', streaming: false });
	await expect.poll(() => getComputedStyle(root(screen)).direction).toBe('ltr');
});

test('no element of it finds its direction by looking over its text: each change below would have it look again', async () => {
	const text = Object.values(streams(600)).join('\n\nBetween two.\n\n');
	const screen = await show(text, false);
	await settled(screen);

	expect(root(screen).matches('[dir=auto] *')).toBe(false);
	expect([...root(screen).querySelectorAll('[dir]')].map(({ tagName }) => tagName)).toEqual([]);
});
