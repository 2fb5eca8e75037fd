/**
 * Prints the compressed JavaScript that the first load of the page needs, file by file, and fails
 * above the limit. Reads the build; run `npm run build` before.
 */

import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** 150 KB, compressed, before a chat is opened. */
const LIMIT_BYTES = 150_000;
/** The client's start, the app, and what the first route needs: layout, error page, page. */
const ENTRIES = [/runtime\/client\/entry\.js$/, /\/app\.js$/, /\/nodes\/[012]\.js$/];

/** @typedef {{ file: string, imports?: string[], isEntry?: boolean }} Chunk */

/** @type {Record<string, Chunk>} */
const manifest = JSON.parse(
	readFileSync(`${ROOT}.svelte-kit/output/client/.vite/manifest.json`, 'utf8')
);

/** @type {Set<string>} */
const files = new Set();
/** @param {string} key */
function collect(key) {
	const chunk = manifest[key];
	if (!chunk || files.has(chunk.file)) return;
	files.add(chunk.file);
	for (const imported of chunk.imports ?? []) collect(imported);
}
const entries = Object.keys(manifest).filter((key) => ENTRIES.some((entry) => entry.test(key)));
if (entries.length < ENTRIES.length) throw new Error(`entries not found, only ${entries.join()}`);
entries.forEach(collect);

const scripts = [...files]
	.filter((file) => file.endsWith('.js'))
	.map((file) => ({
		file,
		gzip: statSync(`${ROOT}build/${file}.gz`).size,
		brotli: statSync(`${ROOT}build/${file}.br`).size
	}))
	.sort((one, other) => other.gzip - one.gzip);
const sum = (/** @type {'gzip' | 'brotli'} */ kind) =>
	scripts.reduce((total, script) => total + script[kind], 0);

for (const { file, gzip, brotli } of scripts)
	console.log(`${String(gzip).padStart(8)} gzip ${String(brotli).padStart(8)} brotli  ${file}`);
console.log(`${sum('gzip')} bytes gzip, ${sum('brotli')} bytes brotli, limit ${LIMIT_BYTES}`);
process.exit(sum('gzip') > LIMIT_BYTES ? 1 : 0);
