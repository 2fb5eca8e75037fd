/**
 * How the list of chats scrolls with ten thousand of them: real Chromium, the built page, its own server.
 *
 *   npm run build && npm run bench:sidebar
 */
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { pageServer } from '../server/page_server.js';

const CHATS = 10_000;
const PAGE_SIZE = 50;
const SECONDS = 5;
/** As a fast flick of the wheel: 10,000 lines pass in about a minute. */
const PX_A_FRAME = 120;
const FRAME_MS = 1000 / 60;

const build = fileURLToPath(new URL('../build', import.meta.url));
const settings = { host: '127.0.0.1', port: 0, backendHost: '127.0.0.1', backendPort: 1 };
const server = pageServer(settings, build).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const address = server.address();
const origin = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update']
});

/** @param {number} at */
function chat(at) {
	const time = new Date(Date.now() - at * 600_000).toISOString();
	return {
		...{ id: `0190a000-0000-7000-8000-${String(at).padStart(12, '0')}`, title: `Chat ${at} 对话` },
		...{ user_id: 'local', model: null, temperature: null, max_tokens: null, params: {} },
		...{ pinned: at < 3, archived: false, temporary: false, tags: [], folder: null },
		...{ active_leaf_id: null, active_run_id: null, message_count: 2 },
		...{ created_at: time, updated_at: time }
	};
}

try {
	for (const size of [PAGE_SIZE, CHATS]) {
		const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
		await page.route('**/api/chats/?*', (route) => {
			const from = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
			const items = Array.from({ length: Math.min(size, CHATS - from) }, (_, at) =>
				chat(from + at)
			);
			const next = from + items.length;
			return route.fulfill({ json: { items, next_cursor: next < CHATS ? String(next) : null } });
		});
		await page.goto(origin);
		await page.getByTestId('chat-item').first().waitFor();
		const figures = await page.evaluate(scroll, [SECONDS, PX_A_FRAME, FRAME_MS]);
		const onTime = (100 * (1 - figures.dropped / figures.frames)).toFixed(1);
		console.log(
			`${size === CHATS ? 'all 10,000 at once' : 'in pages of 50    '}: ${figures.frames} frames, ${onTime} % on time, ` +
				`tasks > 50 ms: ${figures.long}, longest ${figures.longest.toFixed(0)} ms, ${figures.items} of the chats drawn`
		);
		await page.close();
	}
} finally {
	await browser.close();
	server.close();
}

/** @param {number[]} how */
async function scroll([seconds = 0, pxAFrame = 0, frameMs = 0]) {
	const list = document.querySelector('[data-scrolls]');
	if (!list) throw new Error('no list');
	/** @type {number[]} */
	const tasks = [];
	const watch = new PerformanceObserver((found) =>
		found.getEntries().forEach(({ duration }) => tasks.push(duration))
	);
	watch.observe({ type: 'longtask' });
	let frames = 0;
	let dropped = 0;
	const start = performance.now();
	for (let last = start; last - start < seconds * 1000;) {
		/** @type {Promise<number>} */
		const frame = new Promise((resolve) => requestAnimationFrame(resolve));
		const now = await frame;
		const missed = Math.max(0, Math.round((now - last) / frameMs) - 1);
		frames += 1 + missed;
		dropped += missed;
		last = now;
		list.scrollTop += pxAFrame;
	}
	const items = document.querySelectorAll('[data-testid=chat-item]').length;
	return { frames, dropped, long: tasks.length, longest: Math.max(0, ...tasks), items };
}
