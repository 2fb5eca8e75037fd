import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';

const backend = `http://${process.env.BACKEND_HOST ?? '127.0.0.1'}:${process.env.BACKEND_PORT ?? '8080'}`;
const forwarded = { target: backend, ws: true };

/** What the browser tests import from packages, made ready before the first of them runs. */
const PREPARED = [
	'axe-core',
	'bits-ui',
	'diff',
	'dompurify',
	'fast-check',
	'highlight.js/lib/core',
	'highlight.js/lib/languages/*',
	'i18next',
	'jsonc-parser',
	'katex',
	'marked',
	'openapi-fetch',
	'socket.io-client',
	'svelte-sonner',
	'uuid'
];

export default defineConfig({
	plugins: [tailwindcss(), sveltekit()],
	// No font or picture inside a style sheet: the page may load them from its own origin alone.
	build: { sourcemap: false, assetsInlineLimit: 0 },
	environments: {
		client: {
			build: {
				rolldownOptions: {
					output: {
						// What every first load needs comes as one file, as each file costs a round trip;
						// all else stays apart, and on demand.
						codeSplitting: { groups: [{ name: 'shell', tags: ['$initial'] }] }
					}
				}
			}
		}
	},
	server: {
		host: '127.0.0.1',
		proxy: {
			'/api': forwarded,
			'/v1': forwarded,
			'/socket.io': forwarded,
			'/ws': forwarded,
			'/metrics': forwarded
		}
	},
	test: {
		projects: [
			{
				extends: true,
				test: {
					name: 'unit',
					environment: 'node',
					include: ['{src,server,tests}/**/*.test.ts'],
					exclude: ['**/*.svelte.test.ts']
				}
			},
			{
				extends: true,
				// A dependency that is found late would reload the page under a test.
				optimizeDeps: { noDiscovery: true, include: PREPARED },
				test: {
					name: 'browser',
					include: ['{src,tests}/**/*.svelte.test.ts'],
					setupFiles: ['tests/browser.setup.ts'],
					// A busy machine can starve a browser: wait for it, and try once more before it counts.
					expect: { poll: { timeout: 5000 } },
					retry: 1,
					browser: {
						enabled: true,
						headless: true,
						screenshotFailures: false,
						api: { host: '127.0.0.1', port: 0 },
						instances: [{ browser: 'chromium' }],
						provider: playwright({
							launchOptions: {
								executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
								args: [
									'--no-sandbox',
									'--disable-background-networking',
									'--disable-component-update',
									'--disable-sync'
								]
							}
						})
					}
				}
			}
		]
	}
});
