import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { prefixes } from '$lib/utils/markdown/testing/documents';
import MarkdownView from './MarkdownView.svelte';

const formulas = (root: Element) =>
	[...root.querySelectorAll('annotation')].map((note) => note.textContent);

test.each([
	['dollars in a line', 'So $x_1 + y_1$ it is.', ['x_1 + y_1']],
	['brackets in a line', 'So \\(a < b\\) and \\[c *d* e\\] it is.', ['a < b', 'c *d* e']],
	['two dollars in a line', 'So $$x^2$$ it is.', ['x^2']],
	['two dollars around lines', '$$\na = 1\n- b\n$$\nafter', ['a = 1\n- b']],
	['brackets around lines', '\\[\n\\frac{1}{2}\n\\]', ['\\frac{1}{2}']],
	['in a table', '| a |\n|---|\n| $x$ |', ['x']],
	['in an item', '- $x$\n- \\(y\\)', ['x', 'y']]
])('a formula is set: %s', async (_name, text, expected) => {
	const { container } = await render(MarkdownView, { text, streaming: false });
	await expect.poll(() => formulas(container)).toEqual(expected);
});

test.each([
	['prices', 'It costs $5 and $6.'],
	['a dollar alone', 'A $ sign, and $HOME/bin too'],
	['code', '`$x$`'],
	['an escaped dollar', '\\$x$ y']
])('no formula is read into %s', async (_name, text) => {
	const { container } = await render(MarkdownView, { text: text + '\n\n$z$', streaming: false });
	await expect.poll(() => formulas(container)).toEqual(['z']);
});

test('a formula that is wrong stays as it was written', async () => {
	const text = '$$\n\\nothing{\n$$\n\nand $\\frac{$ here, and $z$';
	const { container } = await render(MarkdownView, { text, streaming: false });
	await expect.poll(() => formulas(container)).toEqual(['z']);
	expect(container.querySelector('.math')?.textContent).toBe('$$\n\\nothing{\n$$');
	expect(container.textContent).toContain('\\frac{');
});

test('a formula that never ends does not swallow what follows', async () => {
	const text = '$$\nx = 1\n\n# Heading\n\n$z$';
	const { container } = await render(MarkdownView, { text, streaming: false });
	await expect.poll(() => formulas(container)).toEqual(['z']);
	expect(container.querySelector('h1')?.textContent).toBe('Heading');
});

test('a formula that streams in ends as the same one at once', async () => {
	const text = 'Words $a_1 * b$ here.\n\n$$\n\\sum_{i=1}^{n} x_i\n$$\n\nThe end.';
	const screen = await render(MarkdownView, { text: '', streaming: true });
	for (const prefix of prefixes(text, [3])) {
		await screen.rerender({ text: prefix, streaming: true });
		await new Promise((resolve) => requestAnimationFrame(resolve));
	}
	await screen.rerender({ text, streaming: false });

	const { container } = screen;
	await expect.poll(() => formulas(container)).toEqual(['a_1 * b', '\\sum_{i=1}^{n} x_i']);
	expect(container.querySelectorAll('.katex-error, script, iframe, img, a')).toHaveLength(0);
});

test('a formula brings neither links nor pictures nor styles of its own', async () => {
	const text =
		'$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://evil.example/k.png}$ $\\htmlStyle{position:fixed}{x}$ $z$';
	const { container } = await render(MarkdownView, { text, streaming: false });
	await expect.poll(() => formulas(container)).toContain('z');
	expect(container.querySelectorAll('a, img, [style*="fixed"]')).toHaveLength(0);
});
