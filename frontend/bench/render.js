/**
 * What it costs the page to show an answer while it streams in: real Chromium, the built component,
 * beside a full render a frame in the same run.
 *
 *   npm run bench:render             everything (about 9 minutes)
 *   npm run bench:render -- --quick  a tenth of the tokens
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import tailwindcss from '@tailwindcss/vite';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { ANSWERS } from './answers.js';

const RATE = 500; // tokens a second
const COLUMNS = [
	['', 22, ''],
	['', 6, ''],
	['tasks > 50 ms', 14, 'longTasks', 0],
	['longest ms', 11, 'longest', 0],
	['frames', 7, 'frames', 0],
	['dropped', 8, 'dropped', 0],
	['p50 ms', 7, 'p50', 1],
	['p95 ms', 8, 'p95', 1],
	['p99 ms', 8, 'p99', 1],
	['ms/1k tokens', 13, 'perThousand', 0],
	['last/2nd tenth', 15, 'growth', 2]
];
const HEADER = COLUMNS.map(([title, width]) => title.padStart(width)).join('');
const here = fileURLToPath(new URL('.', import.meta.url));
const scale = process.argv.includes('--quick') ? 0.1 : 1;

const out = await mkdtemp(join(tmpdir(), 'bench-render-'));
const config = {
	configFile: false,
	root: join(here, 'page'),
	logLevel: 'error',
	plugins: [tailwindcss(), svelte()],
	resolve: { alias: { $lib: join(here, '../src/lib') } },
	build: { outDir: out, emptyOutDir: true },
	preview: { host: '127.0.0.1', port: 0 }
};
await build(config);
const server = await preview(config);
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: [
		'--no-sandbox',
		'--disable-background-networking',
		'--disable-component-update',
		'--disable-sync'
	]
});
try {
	console.log(`Chromium ${browser.version()}, ${RATE} tokens/s, ours beside a full render a frame`);
	console.log(HEADER);
	for (const { name, tokens, text } of ANSWERS) {
		const answer = text(Math.round(tokens * scale));
		const ours = await measure(answer, 'ours');
		const naive = await measure(answer, 'naive');
		console.log(row(name, 'ours', ours));
		console.log(row('', 'naive', naive));
		console.log(ratios(ours, naive));
	}
} finally {
	await browser.close();
	await server.close();
	await rm(out, { recursive: true });
}

/** One stream on a fresh page, with the main thread's busy time told by the browser itself. */
async function measure(text, how) {
	const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
	const session = await page.context().newCDPSession(page);
	await session.send('Performance.enable');
	const busy = async () => {
		const { metrics } = await session.send('Performance.getMetrics');
		return 1000 * metrics.find(({ name }) => name === 'TaskDuration').value;
	};
	const tenths = [];
	await page.exposeFunction('tenth', async (index) => {
		tenths[index] = await busy();
	});
	await page.goto(server.resolvedUrls.local[0]);
	await page.waitForFunction(() => 'run' in window);
	const before = await busy();
	const figures = await page.evaluate(
		([answer, rate, kind]) => window.run(answer, rate, kind),
		[text, RATE, how]
	);
	const after = await busy();
	await page.close();
	const first = tenths[1] - tenths[0]; // the very first tenth warms up
	const last = tenths[9] - tenths[8];
	return {
		...figures,
		perThousand: ((after - before) / figures.tokens) * 1000,
		growth: last / first
	};
}

function row(name, kind, figures) {
	const cells = COLUMNS.slice(2).map(([, width, key, digits]) =>
		figures[key].toFixed(digits).padStart(width)
	);
	return name.padEnd(22) + kind.padStart(6) + cells.join('');
}

function ratios(ours, naive) {
	const ratio = (key) => (naive[key] / ours[key]).toFixed(1) + ' ×';
	const onTime = (100 * (1 - ours.dropped / ours.frames)).toFixed(1);
	return `${''.padEnd(22)} ours is ${ratio('perThousand')} cheaper, p95 ${ratio('p95')} sooner, ${onTime} % of frames on time`;
}
