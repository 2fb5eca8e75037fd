import { describe, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { FakeBackend } from './fake_backend';
import { ask, openPage } from './page';

const box = () => document.querySelector<HTMLTextAreaElement>('[data-testid=composer]')!;
const key = (init: KeyboardEventInit) =>
	box().dispatchEvent(
		new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init })
	);
const compose = (type: string, data = '') =>
	box().dispatchEvent(new CompositionEvent(type, { data, bubbles: true }));
/** Sending begins in the very turn of the key: what was asked of the backend says whether it did. */
const sent = (backend: FakeBackend) =>
	backend.calls.map(({ name }) => name).filter((name) => /createChat|startRun/.test(name));
const nextFrames = () =>
	new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

describe('sending', () => {
	test('Enter sends, Shift+Enter makes a new line', async () => {
		const { backend, byId } = await openPage();
		await byId('composer').click();
		await userEvent.keyboard('one{Shift>}{Enter}{/Shift}two');
		await expect.element(byId('composer')).toHaveValue('one\ntwo');

		await userEvent.keyboard('{Enter}');

		await expect.element(byId('composer')).toHaveValue('');
		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
		expect(backend.callsOf('startRun')[0]?.[1]).toMatchObject({ message: { content: 'one\ntwo' } });
	});

	test('with the other send key Enter makes a new line and Ctrl+Enter sends', async () => {
		const { backend, byId } = await openPage({ settings: { sendKey: 'mod-enter' } });
		await byId('composer').click();
		await userEvent.keyboard('one{Enter}two');
		await expect.element(byId('composer')).toHaveValue('one\ntwo');
		expect(sent(backend)).toEqual([]);

		await userEvent.keyboard('{Control>}{Enter}{/Control}');

		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
	});

	test('only blank text cannot be sent', async () => {
		const { byId } = await openPage();
		await expect.element(byId('send')).toBeDisabled();

		await byId('composer').fill(' \n ');
		await expect.element(byId('send')).toBeDisabled();

		await byId('composer').fill('x');
		await expect.element(byId('send')).toBeEnabled();
	});

	test('the text is sent as it was written', async () => {
		const { backend, byId } = await openPage();
		await byId('composer').fill('  你好 🫠  \n');
		await byId('send').click();

		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
		expect(backend.callsOf('startRun')[0]?.[1]).toMatchObject({
			message: { content: '  你好 🫠  \n' }
		});
	});

	test('the thinking switch goes with the message and stays as it was left', async () => {
		const { backend, byId } = await openPage();
		await expect.element(byId('thinking-toggle')).toHaveAttribute('aria-pressed', 'true');
		await byId('thinking-toggle').click();
		await byId('composer').fill('x');
		await byId('send').click();

		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
		expect(backend.callsOf('startRun')[0]?.[1]).toMatchObject({ options: { thinking: false } });
		await expect.element(byId('thinking-toggle')).toHaveAttribute('aria-pressed', 'false');
	});
});

describe('input methods', () => {
	test('Enter inside a composition does not send', async () => {
		const { backend, byId } = await openPage();
		await byId('composer').fill('ni hao');
		compose('compositionstart');
		compose('compositionupdate', '你好');

		key({ isComposing: true });

		expect(sent(backend)).toEqual([]);
	});

	test('Enter that the input method handles does not send, whatever else is said', async () => {
		const { backend, byId } = await openPage();
		await byId('composer').fill('ni hao');

		key({ keyCode: 229 });

		expect(sent(backend)).toEqual([]);
	});

	test('the Enter that ended a composition does not send (Safari), the next one does', async () => {
		const { backend, byId } = await openPage();
		await byId('composer').fill('你好');
		compose('compositionstart');
		compose('compositionend', '你好');
		key({});
		expect(sent(backend)).toEqual([]);

		// Later than the same key can be.
		const end = performance.now() + 60;
		await vi.waitUntil(() => performance.now() > end, { interval: 5 });
		key({});

		await vi.waitUntil(() => backend.callsOf('startRun').length === 1);
	});
});

describe('drafts', () => {
	test('each chat keeps its own draft over a reload', async () => {
		const first = await openPage({ chatId: null });
		await first.byId('composer').fill('half a thought');
		await first.byId('composer').element().dispatchEvent(new FocusEvent('blur'));
		first.screen.unmount();

		const { byId, app } = await openPage({ isReload: true });
		await expect.element(byId('composer')).toHaveValue('half a thought');

		app.show('0199-other');
		await expect.element(byId('composer')).toHaveValue('');
	});

	test('a sent message leaves no draft behind', async () => {
		const opened = await openPage();
		await ask(opened);

		expect(Object.keys(localStorage).filter((name) => name.includes('draft'))).toEqual([]);
	});

	test('a storage that is blocked takes nothing away but the memory', async () => {
		const blocked = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
			throw new DOMException('blocked', 'SecurityError');
		});

		const opened = await openPage();
		await ask(opened);
		blocked.mockRestore();

		await expect.element(opened.byId('stop')).toBeVisible();
	});
});

describe('while an answer is written', () => {
	test('Send becomes Stop, and Esc stops', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.delta(run, 'Be');
		await expect.element(opened.byId('stop')).toBeVisible();

		await opened.byId('composer').click();
		await userEvent.keyboard('{Escape}');

		await vi.waitUntil(() => opened.backend.callsOf('stopRun').length === 1);
		await expect.element(opened.byId('send')).toBeVisible();
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-status', 'stopped');
	});

	test('one can write on, and Enter puts the message in line', async () => {
		const opened = await openPage();
		await ask(opened);
		await opened.byId('composer').click();
		await userEvent.keyboard('next{Enter}');

		await expect.element(opened.byId('composer')).toHaveValue('');
		await expect.element(opened.byId('message').last()).toHaveTextContent('next');
		expect(opened.backend.callsOf('startRun')).toHaveLength(1);
	});
});

describe('files', () => {
	const handTo = (place: Element, type: 'paste' | 'drop' | 'dragover', ...files: File[]) => {
		const data = new DataTransfer();
		for (const file of files) data.items.add(file);
		const init = { bubbles: true, cancelable: true };
		const event =
			type === 'paste'
				? new ClipboardEvent('paste', { clipboardData: data, ...init })
				: new DragEvent(type, { dataTransfer: data, ...init });
		place.dispatchEvent(event);
		return event;
	};
	const hand = (type: 'paste' | 'drop', ...files: File[]) => handTo(box(), type, ...files);

	test.each(['paste', 'drop'] as const)('a text file comes in as text: %s', async (type) => {
		const { byId } = await openPage();
		await byId('composer').fill('Look:');
		hand(type, new File(['print("你好")\n'], 'a.py'));

		await expect.element(byId('composer')).toHaveValue('Look:\na.py\n```py\nprint("你好")\n```');
	});

	test('are chosen with a button too, and refused in the same words', async () => {
		const { byId } = await openPage();
		const files = byId('attach-files').element() as HTMLInputElement;
		const asked = vi.spyOn(files, 'click').mockImplementation(() => undefined);
		await page.getByRole('button', { name: 'Insert text files' }).click();
		expect(asked).toHaveBeenCalledOnce();

		const one = new File(['one'], 'a.txt');
		await userEvent.upload(files, [one, new File(['x'.repeat(100_001)], 'big.txt')]);

		await expect.element(byId('composer')).toHaveValue('a.txt\n```txt\none\n```');
		await expect.element(byId('composer')).toHaveFocus();
		await expect.element(page.getByText('big.txt is too large')).toBeVisible();

		// The same file may be chosen again.
		await byId('composer').fill('');
		await userEvent.upload(files, one);
		await expect.element(byId('composer')).toHaveValue('a.txt\n```txt\none\n```');
	});

	test.each([
		['GBK', [0xc4, 0xe3, 0xba, 0xc3]],
		['UTF-16', [0xff, 0xfe, 0x60, 0x4f, 0x7d, 0x59]]
	])('a Chinese text in %s is read as it is', async (_encoding, bytes) => {
		const { byId } = await openPage();
		hand('drop', new File([new Uint8Array(bytes)], 'a.txt'));

		await expect.element(byId('composer')).toHaveValue('a.txt\n```txt\n你好\n```');
	});

	test('may be dropped anywhere: the page says so, and is not left for them', async () => {
		const { app, byId } = await openPage();
		const file = () => new File(['words'], 'a.txt');
		const place = document.querySelector('[data-testid=sidebar]')!;
		expect(handTo(place, 'dragover', file()).defaultPrevented).toBe(true);
		await expect.element(byId('drop-here')).toBeVisible();

		expect(handTo(place, 'drop', file()).defaultPrevented).toBe(true);
		await expect.element(byId('composer')).toHaveValue('a.txt\n```txt\nwords\n```');
		expect(byId('drop-here').elements()).toHaveLength(0);

		// What lies under a dialog is not written into unseen.
		app.dialog = 'settings';
		await expect.element(byId('settings-dialog')).toBeVisible();
		expect(handTo(place, 'drop', file()).defaultPrevented).toBe(true);
		await nextFrames();
		await expect.element(byId('composer')).toHaveValue('a.txt\n```txt\nwords\n```');
	});

	test('what is too large or no text is refused by name', async () => {
		const { byId } = await openPage();
		hand('drop', new File(['x'.repeat(100_001)], 'big.txt'));
		await expect.element(page.getByText('big.txt is too large')).toBeVisible();
		hand('drop', new File([new Uint8Array([0x89, 0x50, 0, 1])], 'a.png'));
		await expect.element(page.getByText('a.png is not a text file')).toBeVisible();
		hand('drop', new File([new Uint8Array([0x63, 0x61, 0x66, 0xe9, 0x20])], 'latin.txt'));
		await expect.element(page.getByText('latin.txt is not a text file')).toBeVisible();

		await expect.element(byId('composer')).toHaveValue('');
	});
});

describe('arrow up', () => {
	test('in an empty box edits the last message, in a full one it does not', async () => {
		const opened = await openPage();
		const run = await ask(opened, 'first words');
		opened.backend.end(run, 'completed', { content: 'Yes.' });
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-status', 'completed');
		await opened.byId('composer').fill('x');
		await userEvent.keyboard('{ArrowUp}');
		expect(opened.byId('edit-box').elements()).toHaveLength(0);

		await opened.byId('composer').fill('');
		await opened.byId('composer').click();
		await userEvent.keyboard('{ArrowUp}');
		await expect.element(opened.byId('edit-box')).toHaveValue('first words');
		await expect.element(opened.byId('edit-box')).toHaveFocus();
	});
});

describe('the box', () => {
	test('grows with its text up to a limit, and shrinks again', async () => {
		const { byId } = await openPage();
		const before = box().clientHeight;
		await byId('composer').fill('line\n'.repeat(6));
		await nextFrames();
		const grown = box().clientHeight;
		await byId('composer').fill('line\n'.repeat(200));
		await nextFrames();
		const most = box().clientHeight;
		await byId('composer').fill('');
		await nextFrames();

		expect(grown).toBeGreaterThan(before + 80);
		expect(most).toBeLessThanOrEqual(innerHeight * 0.4 + 1);
		expect(box().clientHeight).toBe(before);
	});

	test('a starter fills the box and is not sent by itself', async () => {
		const { backend, byId } = await openPage();
		await byId('starter').nth(1).click();

		await expect.element(byId('composer')).toHaveFocus();
		expect(box().value).toContain('Thursday');
		expect(sent(backend)).toEqual([]);
	});
});
