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
/** @typedef {import('./page/main').Figures & { perThousand: number, growth: number }} Measured */
/** @typedef {{ title: string, width: number, key: keyof Measured, digits: number }} Column */

/** @type {Column[]} */
const COLUMNS = [
	{ title: 'tasks > 50 ms', width: 14, key: 'longTasks', digits: 0 },
	{ title: 'longest ms', width: 11, key: 'longest', digits: 0 },
	{ title: 'frames', width: 8, key: 'frames', digits: 0 },
	{ title: 'dropped', width: 8, key: 'dropped', digits: 0 },
	{ title: 'p50 ms', width: 8, key: 'p50', digits: 1 },
	{ title: 'p95 ms', width: 8, key: 'p95', digits: 1 },
	{ title: 'p99 ms', width: 8, key: 'p99', digits: 1 },
	{ title: 'ms/1k tokens', width: 14, key: 'perThousand', digits: 0 },
	{ title: 'last/2nd tenth', width: 16, key: 'growth', digits: 2 }
];
const NAME_WIDTH = 22;
const KIND_WIDTH = 6;
const HEADER =
	' '.repeat(NAME_WIDTH + KIND_WIDTH) +
	COLUMNS.map(({ title, width }) => title.padStart(width)).join('');
const here = fileURLToPath(new URL('.', import.meta.url));
const scale = process.argv.includes('--quick') ? 0.1 : 1;

const out = await mkdtemp(join(tmpdir(), 'bench-render-'));
/** @type {import('vite').InlineConfig} */
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
const address = server.resolvedUrls?.local[0] ?? '';
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

/**
 * One stream on a fresh page, with the main thread's busy time told by the browser itself.
 *
 * @param {string} text
 * @param {'ours' | 'naive'} how
 * @returns {Promise<Measured>}
 */
async function measure(text, how) {
	const page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
	const session = await page.context().newCDPSession(page);
	await session.send('Performance.enable', { timeDomain: 'threadTicks' }); // CPU time, whatever else runs
	const busy = async () => {
		const { metrics } = await session.send('Performance.getMetrics');
		return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
	};
	/** @type {number[]} */
	const tenths = [];
	await page.exposeFunction('tenth', async (/** @type {number} */ index) => {
		tenths[index] = await busy();
	});
	await page.goto(address);
	await page.waitForFunction(() => 'run' in window);
	const before = await busy();
	const figures = await page.evaluate(
		(stream) => window.run(stream.text, stream.rate, stream.how),
		{ text, how, rate: RATE }
	);
	const after = await busy();
	await page.close();
	/** @param {number} index */
	const during = (index) => (tenths[index] ?? NaN) - (tenths[index - 1] ?? NaN);
	return {
		...figures,
		perThousand: ((after - before) / figures.tokens) * 1000,
		growth: during(9) / during(1) // the very first tenth warms up
	};
}

/**
 * @param {string} name
 * @param {string} kind
 * @param {Measured} figures
 */
function row(name, kind, figures) {
	const cells = COLUMNS.map(({ width, key, digits }) =>
		figures[key].toFixed(digits).padStart(width)
	);
	return name.padEnd(NAME_WIDTH) + kind.padStart(KIND_WIDTH) + cells.join('');
}

/**
 * @param {Measured} ours
 * @param {Measured} naive
 */
function ratios(ours, naive) {
	/** @param {keyof Measured} key */
	const ratio = (key) => (naive[key] / ours[key]).toFixed(1) + ' ×';
	const onTime = (100 * (1 - ours.dropped / ours.frames)).toFixed(1);
	return `${' '.repeat(NAME_WIDTH)} ours is ${ratio('perThousand')} cheaper, p95 ${ratio('p95')} sooner, ${onTime} % of frames on time`;
}
