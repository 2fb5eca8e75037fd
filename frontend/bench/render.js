/**
 * What it costs the page to show an answer while it streams in: real Chromium, the built component,
 * beside a full render a frame in the same run.
 *
 *   npm run bench:render             everything (about 9 minutes)
 *   npm run bench:render -- --quick  a tenth of the tokens
 *   npm run bench:render -- --stepped
 *                                    a frame's worth of text each frame: on a busy machine the milliseconds of CPU, and
 *                                    nothing else of what is printed, mean something
 *   npm run bench:render -- --floor  beside bare text alone: the full render a frame takes most of the time
 *   npm run bench:render -- --only fence --trace /tmp/trace.json
 *                                    the answers of that name, ours alone, with the browser's own trace
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

/** What the browser's trace is to hold: tasks, styles, layout, paint, and the profile of the scripts. */
const TRACED = [
	'disabled-by-default-devtools.timeline.invalidationTracking',
	...['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel', 'v8.execute'],
	...['disabled-by-default-v8.cpu_profiler', 'blink.user_timing', 'cc']
];
const RATE = 500; // tokens a second
/** @typedef {import('./page/main').Figures & { perThousand: number, growth: number, busiest: number, busy: number }} Measured */
/** @typedef {{ title: string, width: number, key: keyof Measured, digits: number }} Column */

/** @type {Column[]} */
const COLUMNS = [
	{ title: 'tasks > 50 ms', width: 14, key: 'longTasks', digits: 0 },
	{ title: 'longest ms', width: 11, key: 'longest', digits: 0 },
	{ title: 'by CPU', width: 8, key: 'busy', digits: 0 },
	{ title: 'longest', width: 9, key: 'busiest', digits: 0 },
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
const hasNaive = !process.argv.includes('--floor');
const isStepped = process.argv.includes('--stepped');
const only = argument('--only');
const trace = argument('--trace');

const out = await mkdtemp(join(tmpdir(), 'bench-render-'));
/** @type {import('vite').InlineConfig} */
const config = {
	configFile: false,
	root: join(here, 'page'),
	logLevel: 'error',
	plugins: [tailwindcss(), svelte()],
	resolve: { alias: { $lib: join(here, '../src/lib') } },
	build: { outDir: out, emptyOutDir: true, minify: !trace },
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
		if (only && !name.includes(only)) continue;
		const answer = text(Math.round(tokens * scale));
		const ours = await measure(answer, 'ours');
		if (trace) {
			console.log(row(name, 'ours', ours));
			continue;
		}
		const plain = await measure(answer, 'plain');
		const naive = hasNaive ? await measure(answer, 'naive') : null;
		console.log(row(name, 'ours', ours));
		if (naive) console.log(row('', 'naive', naive));
		console.log(row('', 'plain', plain));
		console.log(ratios(ours, naive, plain));
	}
} finally {
	await browser.close();
	await server.close();
	await rm(out, { recursive: true });
}

/**
 * @param {string} name
 * @returns {string | undefined}
 */
function argument(name) {
	const at = process.argv.indexOf(name);
	return at < 0 ? undefined : process.argv[at + 1];
}

/**
 * One stream on a fresh page, with the main thread's busy time told by the browser itself.
 *
 * @param {string} text
 * @param {import('./page/main').Kind} how
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
	await browser.startTracing(undefined, {
		...(trace ? { path: trace } : {}),
		categories: trace ? TRACED : ['toplevel', 'blink.user_timing']
	});
	const before = await busy();
	const figures = await page.evaluate(
		(stream) => window.run(stream.text, stream.rate, stream.how, stream.isStepped),
		{ text, how, rate: RATE, isStepped }
	);
	const after = await busy();
	const tasks = longTasks(JSON.parse(String(await browser.stopTracing())));
	await page.close();
	/** @param {number} index */
	const during = (index) => (tenths[index] ?? NaN) - (tenths[index - 1] ?? NaN);
	return {
		...figures,
		busy: tasks.length,
		busiest: Math.max(0, ...tasks),
		perThousand: ((after - before) / figures.tokens) * 1000,
		growth: during(9) / during(1) // the very first tenth warms up
	};
}

/** @typedef {{ name: string, pid: number, tid: number, ts: number, tdur?: number }} TraceEvent */

/**
 * Tasks of the page's main thread that used more than 50 ms of CPU after warm-up, in ms: unlike
 * the clock's, they do not count what else this machine was doing.
 *
 * @param {{ traceEvents: TraceEvent[] }} trace
 * @returns {number[]}
 */
function longTasks({ traceEvents }) {
	const warm = traceEvents.find(({ name }) => name === 'warm');
	return traceEvents
		.filter(({ name }) => name === 'ThreadControllerImpl::RunTask' || name === 'RunTask')
		.filter(({ pid, tid, ts }) => warm && pid === warm.pid && tid === warm.tid && ts > warm.ts)
		.map(({ tdur = 0 }) => tdur / 1000)
		.filter((duration) => duration > 50);
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
 * @param {Measured | null} naive
 * @param {Measured} plain
 */
function ratios(ours, naive, plain) {
	/** @param {keyof Measured} key */
	const ratio = (key) => (naive ? (naive[key] / ours[key]).toFixed(1) + ' ×' : '');
	const onTime = (100 * (1 - ours.dropped / ours.frames)).toFixed(1);
	return (
		' '.repeat(NAME_WIDTH) +
		(naive ? ` ours is ${ratio('perThousand')} cheaper, p95 ${ratio('p95')} sooner,` : '') +
		` ${onTime} % of frames on time; ` +
		`${(ours.perThousand / plain.perThousand).toFixed(1)} × the floor of ${plain.perThousand.toFixed(0)} ms/1k`
	);
}
