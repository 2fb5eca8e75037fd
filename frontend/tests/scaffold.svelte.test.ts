import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import MarkdownView from '$lib/components/Chat/markdown/MarkdownView.svelte';

test('browser project runs in Chromium', async () => {
	const screen = await render(MarkdownView, { text: 'hello', streaming: false });
	await expect.element(screen.getByText('hello')).toBeVisible();
});
