import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import boundaries from 'eslint-plugin-boundaries';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

// Lowest first: a layer may import itself and what stands before it.
const LAYERS = ['types', 'utils', 'i18n', 'api', 'stores', 'components', 'routes'];

const policies = [
	...LAYERS.map((layer, height) => ({
		from: { element: { type: layer } },
		allow: { to: { element: { types: { anyOf: LAYERS.slice(0, height + 1) } } } }
	})),
	// Components never talk to the network; they ask a store.
	{
		from: { element: { type: 'components' } },
		disallow: { to: { element: { type: 'api' } } }
	},
	{
		from: { element: { type: 'routes' } },
		disallow: { to: { element: { type: 'api' } } }
	}
];

/** A library and the one place that may import it. */
const HOMES = [
	{ name: 'socket.io-client', home: 'src/lib/api/socket.ts' },
	{ name: 'openapi-fetch', home: 'src/lib/api/http.ts' },
	{ name: 'marked', home: 'src/lib/utils/markdown/' },
	{ name: 'dompurify', home: 'src/lib/utils/markdown/' },
	{ name: 'mermaid', home: 'src/lib/utils/markdown/' },
	{ name: 'highlight.js', home: 'src/lib/utils/markdown/' },
	{ name: 'i18next', home: 'src/lib/i18n/' }
];
const HTML_HOME = 'src/lib/components/Chat/markdown/HtmlBlock.svelte';

const forbidden = (libraries) => ({
	'no-restricted-imports': [
		'error',
		{
			patterns: libraries.map(({ name, home }) => ({
				regex: `^${name.replaceAll('.', String.raw`\.`)}(/|$)`,
				message: `Only ${home} imports ${name}.`
			}))
		}
	]
});

export default ts.config(
	{ ignores: ['build/', '.svelte-kit/', 'node_modules/', 'src/lib/types/contract.ts'] },
	js.configs.recommended,
	...ts.configs.strict,
	...svelte.configs.recommended,
	prettier,
	...svelte.configs.prettier,
	{
		languageOptions: { globals: { ...globals.browser, ...globals.node } },
		rules: {
			'no-undef': 'off',
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/consistent-type-imports': 'error',
			'@typescript-eslint/no-unused-vars': [
				'error',
				{ argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }
			],
			'svelte/no-at-html-tags': 'error',
			'svelte/no-inline-styles': 'off',
			'svelte/no-navigation-without-resolve': 'off',
			complexity: ['error', 12],
			'max-lines': ['error', { max: 300, skipBlankLines: false }]
		}
	},
	{
		files: ['**/*.svelte', '**/*.svelte.ts', '**/*.svelte.test.ts'],
		languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } }
	},
	{ files: ['src/**/*.svelte'], rules: { 'max-lines': ['error', { max: 200 }] } },
	{
		files: ['src/**/*.{ts,svelte}'],
		ignores: ['src/**/*.test.ts'],
		plugins: { boundaries },
		settings: {
			'import/resolver': { typescript: { project: './tsconfig.json' } },
			'boundaries/elements': [
				...LAYERS.filter((layer) => layer !== 'routes').map((type) => ({
					type,
					pattern: `src/lib/${type}/**`,
					partialMatch: false
				})),
				{ type: 'routes', pattern: 'src/routes/**', partialMatch: false }
			]
		},
		rules: {
			'boundaries/dependencies': ['error', { default: 'disallow', policies }],
			'boundaries/no-unknown-files': 'off',
			...forbidden(HOMES)
		}
	},
	...HOMES.map(({ home }) => ({
		files: [home.endsWith('/') ? `${home}**` : home],
		rules: forbidden(HOMES.filter((other) => other.home !== home))
	})),
	// State there is replaced, never changed in place: a plain Map is what is meant.
	{ files: ['src/lib/stores/**'], rules: { 'svelte/prefer-svelte-reactivity': 'off' } },
	{ files: [HTML_HOME], rules: { 'svelte/no-at-html-tags': 'off' } },
	{
		files: ['**/*.test.ts', 'tests/**'],
		rules: {
			'max-lines': 'off',
			complexity: 'off',
			'@typescript-eslint/no-non-null-assertion': 'off'
		}
	}
);
