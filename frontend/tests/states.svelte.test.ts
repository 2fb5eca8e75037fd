import axe from 'axe-core';
import { describe, expect, test, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { aChat, aMessage, aSummary } from './builders';
import { FakeBackend, healthOf } from './fake_backend';
import { ask, openPage } from './page';

function engine(...state: Parameters<typeof healthOf>) {
	const backend = new FakeBackend();
	backend.health = healthOf(...state);
	return backend;
}

describe('the engine', () => {
	test('that is ready is mentioned quietly', async () => {
		const { byId } = await openPage();

		await expect.element(byId('engine-state')).toHaveTextContent('Engine ready');
	});

	test('that loads says what and that one can write already', async () => {
		const backend = engine('loading', 'Loading Qwen3-0.6B, about 20 s');
		const { byId } = await openPage({ backend });

		await expect.element(byId('engine-state')).toHaveTextContent('The engine is loading');
		await expect.element(byId('engine-state')).toHaveTextContent('Loading Qwen3-0.6B, about 20 s');
		await byId('composer').fill('x');
		await expect.element(byId('send')).toBeEnabled();
	});

	test('that is down says the cause and what to do', async () => {
		const backend = engine('down', 'Connection refused', 'Run ./scripts/start_vllm.sh');
		const { byId } = await openPage({ backend });

		await expect.element(byId('engine-state')).toHaveTextContent('The engine is not running');
		await expect.element(byId('engine-state')).toHaveTextContent('Connection refused');
		await expect.element(byId('engine-state')).toHaveTextContent('Run ./scripts/start_vllm.sh');
	});

	test('of a server that does not answer is not blamed', async () => {
		const backend = new FakeBackend();
		backend.isReachable = false;
		const { byId } = await openPage({ backend });

		await expect.element(byId('engine-state')).toHaveTextContent('The server is not answering');
		await byId('composer').fill('I can write');
		await expect.element(byId('composer')).toHaveValue('I can write');
	});

	test('with a model that people ought to know about says so before the first message', async () => {
		const backend = new FakeBackend();
		const note = 'No model hub was in reach: this is a small model.';
		backend.models.items[0]!.note = note;
		const { byId } = await openPage({ backend });

		await expect.element(byId('model-note')).toHaveTextContent(note);
		await byId('model-picker').selectOptions('org/Small');
		expect(byId('model-note').elements()).toHaveLength(0);
	});

	test('is waited for by an answer, in words', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.queue(run, null, 'engine_unavailable');
		await expect.element(page.getByText('Waiting for the engine…')).toBeVisible();
		await expect.element(opened.byId('message').last()).toHaveAttribute('data-status', 'queued');

		opened.backend.queue(run, 3, 'capacity');
		await expect.element(page.getByText('3rd in line')).toBeVisible();
	});
});

describe('the connection', () => {
	test('is offline only after a while, and online again at once', async () => {
		const { byId, backend } = await openPage();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'online');
		vi.useFakeTimers();
		backend.goOffline();
		vi.advanceTimersByTime(4_900);
		vi.useRealTimers();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'reconnecting');
		backend.goOnline();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'online');

		vi.useFakeTimers();
		backend.goOffline();
		vi.advanceTimersByTime(5_100);
		vi.useRealTimers();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'offline');
		await expect.element(page.getByText('You are offline.')).toBeVisible();

		await page.getByRole('button', { name: 'Try now' }).click();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'online');
	});

	test('to a server that is away is told once: it is not the reader who is offline', async () => {
		const { app, byId, backend } = await openPage();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'online');
		vi.useFakeTimers();
		backend.goOffline();
		vi.advanceTimersByTime(5_100);
		vi.useRealTimers();
		await app.engine.check();
		await expect.element(byId('engine-state')).toHaveTextContent('The server is not answering');
		expect(page.getByText('You are offline.').elements()).toHaveLength(0);
		expect(byId('engine-state').elements()).toHaveLength(1);

		await page.getByRole('button', { name: 'Try now' }).click();
		await expect.element(byId('connection')).toHaveAttribute('data-state', 'online');
	});
});

describe('settings', () => {
	test('of a chat are checked, and kept with it', async () => {
		const backend = new FakeBackend();
		backend.put(aChat({ id: 'chat', title: 'A chat' }));
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await byId('settings').click();
		await byId('system-prompt').fill('Be brief.');
		await byId('temperature').fill('9');
		await expect.element(page.getByText('A number from 0 to 2.')).toBeVisible();
		await expect.element(byId('save')).toBeDisabled();

		await byId('temperature').fill('0.3');
		await byId('max-tokens').fill('100');
		await byId('save').click();

		await vi.waitUntil(() => backend.chat('chat').max_tokens === 100);
		expect(backend.chat('chat')).toMatchObject({ system_prompt: 'Be brief.', temperature: 0.3 });
	});

	test('of sampling, thinking and structure are checked and kept', async () => {
		const backend = new FakeBackend();
		backend.put(aChat({ id: 'chat', title: 'A chat' }));
		const { byId } = await openPage({ backend, chatId: 'chat' });
		await byId('settings').click();
		await byId('sampling').getByText('Sampling').click();
		await byId('top-p').fill('0');
		await expect.element(page.getByText('This number is out of range.')).toBeVisible();
		await byId('top-p').fill('0.9');
		await byId('seed').fill('7');
		await byId('stop-texts').fill('END\n###');
		await byId('structured').getByText('Structured answers').click();
		await byId('schema').fill('{"type": "objekt"}');
		await expect.element(page.getByText('At /type there has to be a type')).toBeVisible();
		await expect.element(byId('save')).toBeDisabled();
		await byId('schema').fill('{"type": "object", "properties": {"a": {"type": "string"}}}');
		await byId('save').click();

		await vi.waitUntil(() => backend.chat('chat').params.seed === 7);
		expect(backend.chat('chat').params).toEqual({
			top_p: 0.9,
			seed: 7,
			stop: ['END', '###'],
			response_format: {
				type: 'json_schema',
				json_schema: {
					name: 'answer',
					schema: { type: 'object', properties: { a: { type: 'string' } } }
				}
			}
		});
	});

	test('of a preset: its variables are filled in, and it goes into the box or the chat', async () => {
		const opened = await openPage();
		const { byId, backend, app } = opened;
		app.dialog = 'presets';
		await byId('preset-new').click();
		await byId('preset-name').fill('Translate');
		await byId('preset-prompt').fill('Translate into {{language}}: {{text}}');
		await byId('preset-save').click();
		await byId('preset').click();
		await byId('preset-variable').first().fill('French');
		await expect.element(byId('preset-text')).toHaveTextContent('Translate into French: {{text}}');
		await byId('preset-message').click();
		await expect.element(byId('composer')).toHaveValue('Translate into French: {{text}}');

		app.dialog = 'presets';
		await byId('preset').click();
		await byId('preset-system').click();
		await vi.waitUntil(() => app.dialog === null);
		await ask(opened);
		expect(backend.callsOf('createChat')[0]?.[0]).toMatchObject({
			system_prompt: 'Translate into {{language}}: {{text}}'
		});
	});

	test('of a new chat are used when it is made', async () => {
		const opened = await openPage();
		await opened.byId('model-picker').selectOptions('org/Small');
		await ask(opened);

		expect(opened.backend.callsOf('createChat')[0]?.[0]).toMatchObject({ model: 'org/Small' });
	});

	test('of the browser take effect at once', async () => {
		const { byId } = await openPage();
		await byId('settings').click();
		await byId('settings-dialog').getByText('中文').click();
		await expect.element(page.getByRole('dialog', { name: '设置' })).toBeVisible();

		await byId('settings-dialog').getByText('大', { exact: true }).click();
		expect(document.documentElement.dataset.font).toBe('large');
	});
});

describe('the keyboard', () => {
	test('Ctrl+K opens chats and commands, and Enter takes the first', async () => {
		const backend = new FakeBackend();
		backend.put(aChat({ id: 'chat', title: 'Deploy notes' }));
		const { byId, app } = await openPage({ backend });
		await byId('composer').click();
		await userEvent.keyboard('{Control>}k{/Control}');
		await expect.element(byId('palette-box')).toHaveFocus();
		await expect.element(byId('palette-chat')).toHaveTextContent('Deploy notes');

		await userEvent.keyboard('settings{Enter}');
		await expect.element(byId('settings-dialog')).toBeVisible();
		await userEvent.keyboard('{Escape}');
		await vi.waitUntil(() => app.dialog === null);
	});

	test('a chat that is found by what is in it shows the words, and leads to them', async () => {
		const backend = new FakeBackend();
		const said = aMessage({ id: 'm', chat_id: 'chat', content: 'Bring an umbrella.' });
		backend.put(aChat({ id: 'chat', title: 'Packing', messages: [said], active_leaf_id: 'm' }));
		const snippet = 'Bring an <mark>umbrella</mark>.';
		backend.hits = [
			{ chat: aSummary({ id: 'chat', title: 'Packing' }), message_id: 'm', role: 'user', snippet }
		];
		const { app, byId } = await openPage({ backend });
		app.dialog = 'palette';
		await byId('palette-box').fill('umbrella');
		await expect.element(byId('palette-chat')).toHaveTextContent('Packing Bring an umbrella.');
		expect(document.querySelector('[data-testid=palette] mark')?.textContent).toBe('umbrella');

		await userEvent.keyboard('{Enter}');
		// The router is not here.
		app.show('chat');
		await expect.element(page.getByText('Bring an umbrella.')).toBeVisible();
		await vi.waitUntil(() => CSS.highlights.get('search-hit')?.size === 1, { timeout: 5_000 });
	});

	test('Ctrl+/ shows the shortcuts, Shift+Escape goes to the box', async () => {
		const { byId, app } = await openPage();
		await userEvent.keyboard('{Control>}/{/Control}');
		await expect.element(byId('shortcuts-dialog')).toHaveTextContent('Edit the last message');
		await userEvent.keyboard('{Escape}');
		await vi.waitUntil(() => app.dialog === null);

		(document.activeElement as HTMLElement).blur();
		await userEvent.keyboard('{Shift>}{Escape}{/Shift}');
		await expect.element(byId('composer')).toHaveFocus();
	});
});

describe('the context', () => {
	test('in use is told by the engine’s count, and warns when it is nearly full', async () => {
		const backend = new FakeBackend();
		const answer = aMessage({
			id: 'a',
			role: 'assistant',
			content: 'So.',
			metadata: { usage: { total_tokens: 3_500 } }
		});
		backend.put(aChat({ id: 'chat', active_leaf_id: 'a', messages: [answer] }));
		const { byId } = await openPage({ backend, chatId: 'chat' });

		await expect.element(byId('context-gauge')).toHaveTextContent('3.5K/4.1K');
		await expect
			.element(byId('context-gauge'))
			.toHaveAttribute('aria-valuetext', '3,500 of 4,096 tokens of the context are in use');
	});
});

describe('reading with other eyes', () => {
	const QUESTION = aMessage({ id: 'q', content: 'Why?' });
	const FAILED = aMessage({
		id: 'a',
		parent_id: 'q',
		role: 'assistant',
		content: 'Half an answer',
		reasoning: 'Hm.',
		status: 'interrupted',
		sibling_ids: ['z', 'a'],
		metadata: { error: { code: 'engine_lost', detail: '' } }
	});

	test.each(
		(['light', 'dark'] as const).flatMap((theme) =>
			(['en', 'zh'] as const).flatMap((language) =>
				[1280, 360].map((width) => ({ theme, language, width }))
			)
		)
	)('axe finds nothing: $theme, $language, $width px', async ({ theme, language, width }) => {
		const backend = new FakeBackend();
		backend.put(
			aChat({ id: 'chat', title: 'A chat', active_leaf_id: 'a', messages: [QUESTION, FAILED] })
		);
		backend.health = healthOf('down', 'refused', 'start it');
		const { byId } = await openPage({
			backend,
			chatId: 'chat',
			settings: { theme, language },
			width
		});
		await expect.element(byId('outcome')).toBeVisible();
		await expect.element(byId('engine-state')).toHaveTextContent('refused');

		const { violations } = await axe.run(document, {
			// The shell of the test is not the whole page.
			rules: { region: { enabled: false } }
		});

		expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
	});

	test.each(['settings', 'presets', 'palette', 'shortcuts'] as const)(
		'axe finds nothing in a dialog: %s',
		async (dialog) => {
			const { app, byId } = await openPage();
			app.dialog = dialog;
			await expect.element(page.getByRole('dialog')).toBeVisible();
			if (dialog === 'settings') {
				await byId('sampling').getByText('Sampling').click();
				await byId('structured').getByText('Structured answers').click();
			}

			const { violations } = await axe.run(document, { rules: { region: { enabled: false } } });

			expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
		}
	);

	test('axe finds nothing while messages wait and the model thinks', async () => {
		const opened = await openPage();
		const run = await ask(opened);
		opened.backend.think(run, 'Hm.');
		await opened.byId('composer').fill('Later');
		await opened.byId('send').click();
		await expect.element(opened.byId('outbox-edit')).toBeVisible();
		await expect.element(opened.byId('answer-now')).toBeVisible();

		const { violations } = await axe.run(document, { rules: { region: { enabled: false } } });

		expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
	});

	test('every control has a name', async () => {
		const { byId } = await openPage();
		await expect.element(byId('composer')).toBeVisible();

		for (const control of document.querySelectorAll('button, a, input, select, textarea'))
			expect(
				(control.getAttribute('aria-label') ?? control.textContent ?? '').trim(),
				control.outerHTML
			).not.toBe('');
	});

	test.each([320, 360, 768, 1600])('nothing is wider than the screen at %i px', async (width) => {
		const backend = new FakeBackend();
		const long = { ...FAILED, content: `${'x'.repeat(600)} ${'字'.repeat(300)}` };
		backend.put(
			aChat({
				id: 'chat',
				title: 'w'.repeat(300),
				active_leaf_id: 'a',
				messages: [{ ...QUESTION, content: 'y'.repeat(500) }, long]
			})
		);
		const { byId } = await openPage({ backend, chatId: 'chat', width });
		await expect.element(byId('outcome')).toBeVisible();

		expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
		const region = document.querySelector('[data-testid=messages]')!;
		expect(region.scrollWidth).toBeLessThanOrEqual(region.clientWidth);
		for (const id of ['settings', 'composer', 'send', 'model-picker']) {
			const { left, right } = byId(id).element().getBoundingClientRect();
			expect(left, id).toBeGreaterThanOrEqual(0);
			expect(right, id).toBeLessThanOrEqual(width);
		}
	});
});
