/** Owns opening the page on a backend in memory, in the real browser of the component tests. */

import { onTestFinished, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { toast } from 'svelte-sonner';
import { AppStore } from '../src/lib/stores/app.svelte';
import type { Realtime } from '../src/lib/api/socket';
import type { Settings } from '../src/lib/stores/settings.svelte';
import { browserStorage } from '../src/lib/utils/storage';
import { browserLocks } from '../src/lib/utils/tab_locks';
import { FakeBackend } from './fake_backend';
import Shell from './Shell.svelte';

interface Opening {
	backend?: FakeBackend;
	chatId?: string | null;
	settings?: Partial<Settings>;
	width?: number;
	height?: number;
	/** Keep what an earlier page of the same test stored. */
	isReload?: boolean;
	/** The connection; by default the backend's first. */
	realtime?: Realtime;
}

export async function openPage({
	backend = new FakeBackend(),
	chatId = null,
	settings = {},
	width = 1280,
	height = 800,
	isReload = false,
	realtime = backend.realtime
}: Opening = {}) {
	if (!isReload) localStorage.clear();
	// Toasts outlive the page they were shown on.
	toast.dismiss();
	await page.viewport(width, height);
	const { api } = backend;
	const app = new AppStore({ api, realtime, storage: browserStorage(), locks: browserLocks() });
	app.settings.set({ language: 'en', ...settings });
	const stop = app.start();
	onTestFinished(stop);
	app.show(chatId);
	const screen = await render(Shell, { app, hasSidebar: width >= 768 });
	const byId = (id: string) => page.getByTestId(id);
	return { app, backend, byId, screen, stop };
}

/** Asks a question in the open chat and lets the model begin; returns the run. */
export async function ask(opened: Awaited<ReturnType<typeof openPage>>, question = 'Why?') {
	const before = opened.backend.runs.size;
	await opened.byId('composer').fill(question);
	await opened.byId('send').click();
	await vi.waitUntil(() => opened.backend.runs.size > before);
	opened.backend.begin(opened.backend.lastRun);
	return opened.backend.lastRun;
}
