import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
	preprocess: vitePreprocess(),
	compilerOptions: {
		runes: ({ filename }) => (filename.includes('node_modules') ? undefined : true)
	},
	kit: {
		// One page for every route: the chat's id is in the URL, its content comes over the API.
		adapter: adapter({ fallback: 'index.html', precompress: true, strict: false }),
		files: { lib: 'src/lib' },
		version: { pollInterval: 0 }
	}
};
