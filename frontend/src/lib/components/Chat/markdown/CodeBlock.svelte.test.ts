import { beforeEach, expect, test, vi } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { setLanguage } from '$lib/i18n';
import CodeBlock from './CodeBlock.svelte';
import './markdown.css';

async function show(text: string, language = '') {
	const view = { kind: 'code' as const, key: 0, done: true, language, text };
	const screen = await render(CodeBlock, { view });
	screen.container.classList.add('markdown');
	return screen;
}

const code = (screen: { container: Element }) => screen.container.querySelector('code');

beforeEach(() => {
	vi.restoreAllMocks();
	setLanguage('en');
});

test('is copied exactly, whatever its colours', async () => {
	const text = '\tif a < b && c:\n\n        print("“你好” 😀 \\n")  # end ';
	const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
	const screen = await show(text, 'python');
	await expect.poll(() => code(screen)?.querySelector('[class^=hljs]')).not.toBeNull();

	await screen.getByRole('button', { name: 'Copy' }).click();

	expect(write).toHaveBeenCalledExactlyOnceWith(text);
	await expect.element(screen.getByRole('button', { name: 'Copied' })).toBeVisible();
});

test('shows its text exactly, in colours too', async () => {
	const text = '<b>"x"</b> &amp; \'y\'\n  <!-- c -->\n';
	const screen = await show(text, 'html');
	await expect.poll(() => code(screen)?.querySelector('[class^=hljs]')).not.toBeNull();

	expect(code(screen)?.textContent).toBe(text);
});

test('wraps long lines on request', async () => {
	const screen = await show('x '.repeat(2000));
	const pre = screen.container.querySelector('pre');
	expect(pre?.scrollWidth).toBeGreaterThan(pre?.clientWidth ?? 0);

	await screen.getByRole('button', { name: 'Wrap lines' }).click();

	await expect.poll(() => (pre?.scrollWidth ?? 1) <= (pre?.clientWidth ?? 0)).toBe(true);
});

test('scrolls by itself and does not widen the page', async () => {
	const screen = await show('x '.repeat(2000));

	expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(window.innerWidth);
	expect(code(screen)?.scrollWidth).toBeGreaterThan(window.innerWidth);
});

test.each(['constructor', '__proto__', 'toString', '"><img src=x>', '../../etc'])(
	'is plain for the language %s, which there is not',
	async (language) => {
		const screen = await show('let a = 1;', language);

		expect(screen.container.querySelector('.language')?.textContent).toBe(language);
		expect(screen.container.querySelector('img')).toBeNull();
		expect(code(screen)?.textContent).toBe('let a = 1;');
	}
);

test('a line of a megabyte is capped, copied whole, and shown whole on request', async () => {
	const text = 'a();'.repeat(262_144);
	const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
	const screen = await show(text, 'js');
	expect(code(screen)?.textContent.length).toBeLessThan(50_000);
	expect(code(screen)?.querySelector('[class^=hljs]')).toBeNull();

	await screen.getByRole('button', { name: 'Copy' }).click();
	expect(write).toHaveBeenCalledExactlyOnceWith(text);

	await screen.getByRole('button', { name: 'Show all 1,048,576 characters' }).click();
	await expect.poll(() => code(screen)?.textContent.length).toBe(text.length);
});

test('characters that turn the direction of text are told', async () => {
	const screen = await show(`if (admin${String.fromCodePoint(0x202e)}) {`);

	await expect.element(screen.getByText('Contains hidden characters')).toBeVisible();
});

test('speaks Chinese', async () => {
	setLanguage('zh');
	const screen = await show('a');

	await expect.element(screen.getByRole('button', { name: '复制' })).toBeVisible();
	await expect.element(screen.getByRole('button', { name: '自动换行' })).toBeVisible();
});
