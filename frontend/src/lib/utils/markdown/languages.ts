/**
 * The languages code is highlighted in, by the names people write after a fence; each is loaded
 * when it is first needed. A name that is not here is shown and highlights nothing.
 */
import type { LanguageFn } from 'highlight.js';

type Load = () => Promise<{ default: LanguageFn }>;

const LOADERS: Record<string, Load> = {
	bash: () => import('highlight.js/lib/languages/bash'),
	c: () => import('highlight.js/lib/languages/c'),
	cpp: () => import('highlight.js/lib/languages/cpp'),
	csharp: () => import('highlight.js/lib/languages/csharp'),
	css: () => import('highlight.js/lib/languages/css'),
	dart: () => import('highlight.js/lib/languages/dart'),
	diff: () => import('highlight.js/lib/languages/diff'),
	dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
	elixir: () => import('highlight.js/lib/languages/elixir'),
	go: () => import('highlight.js/lib/languages/go'),
	graphql: () => import('highlight.js/lib/languages/graphql'),
	haskell: () => import('highlight.js/lib/languages/haskell'),
	ini: () => import('highlight.js/lib/languages/ini'),
	java: () => import('highlight.js/lib/languages/java'),
	javascript: () => import('highlight.js/lib/languages/javascript'),
	json: () => import('highlight.js/lib/languages/json'),
	julia: () => import('highlight.js/lib/languages/julia'),
	kotlin: () => import('highlight.js/lib/languages/kotlin'),
	latex: () => import('highlight.js/lib/languages/latex'),
	lua: () => import('highlight.js/lib/languages/lua'),
	makefile: () => import('highlight.js/lib/languages/makefile'),
	markdown: () => import('highlight.js/lib/languages/markdown'),
	matlab: () => import('highlight.js/lib/languages/matlab'),
	nginx: () => import('highlight.js/lib/languages/nginx'),
	objectivec: () => import('highlight.js/lib/languages/objectivec'),
	perl: () => import('highlight.js/lib/languages/perl'),
	php: () => import('highlight.js/lib/languages/php'),
	powershell: () => import('highlight.js/lib/languages/powershell'),
	python: () => import('highlight.js/lib/languages/python'),
	r: () => import('highlight.js/lib/languages/r'),
	ruby: () => import('highlight.js/lib/languages/ruby'),
	rust: () => import('highlight.js/lib/languages/rust'),
	scala: () => import('highlight.js/lib/languages/scala'),
	scss: () => import('highlight.js/lib/languages/scss'),
	shell: () => import('highlight.js/lib/languages/shell'),
	sql: () => import('highlight.js/lib/languages/sql'),
	swift: () => import('highlight.js/lib/languages/swift'),
	typescript: () => import('highlight.js/lib/languages/typescript'),
	xml: () => import('highlight.js/lib/languages/xml'),
	yaml: () => import('highlight.js/lib/languages/yaml')
};

const ALIASES: Record<string, string> = {
	sh: 'bash',
	zsh: 'bash',
	'c++': 'cpp',
	cc: 'cpp',
	h: 'c',
	hpp: 'cpp',
	'c#': 'csharp',
	cs: 'csharp',
	docker: 'dockerfile',
	ex: 'elixir',
	golang: 'go',
	hs: 'haskell',
	toml: 'ini',
	conf: 'ini',
	cfg: 'ini',
	js: 'javascript',
	jsx: 'javascript',
	mjs: 'javascript',
	node: 'javascript',
	json5: 'json',
	jsonc: 'json',
	jsonl: 'json',
	jl: 'julia',
	kt: 'kotlin',
	tex: 'latex',
	make: 'makefile',
	mk: 'makefile',
	md: 'markdown',
	objc: 'objectivec',
	pl: 'perl',
	ps1: 'powershell',
	pwsh: 'powershell',
	py: 'python',
	python3: 'python',
	pycon: 'python',
	rb: 'ruby',
	rs: 'rust',
	sass: 'scss',
	console: 'shell',
	shellsession: 'shell',
	mysql: 'sql',
	postgresql: 'sql',
	sqlite: 'sql',
	ts: 'typescript',
	tsx: 'typescript',
	html: 'xml',
	htm: 'xml',
	svelte: 'xml',
	svg: 'xml',
	vue: 'xml',
	yml: 'yaml'
};

/** The allow-listed language behind a name, or null. */
export function languageOf(name: string): string | null {
	const lower = name.toLowerCase();
	const known = Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : lower;
	return known !== undefined && Object.hasOwn(LOADERS, known) ? known : null;
}

/** Loads the grammar of an allow-listed language. */
export async function loadGrammar(language: string): Promise<LanguageFn> {
	const load = Object.hasOwn(LOADERS, language) ? LOADERS[language] : undefined;
	if (!load) throw new Error(`No grammar for ${language}.`);
	return (await load()).default;
}
