import { afterEach, beforeEach, describe, expect, test, onTestFinished, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { setLanguage } from '$lib/i18n';
import { LONGEST_SOURCE } from '$lib/utils/markdown/diagrams';
import MarkdownView from './MarkdownView.svelte';

/** Mermaid is large, and a busy machine slow. */
const PATIENT = { timeout: 30_000 };
const EVIL = 'https://evil.example';
const fence = (source: string, end = '\n```\n') => `\`\`\`mermaid\n${source}${end}`;

async function show(source: string) {
	const screen = await render(MarkdownView, { text: fence(source), streaming: false });
	const one = <E extends Element>(selector: string) => screen.container.querySelector<E>(selector);
	return {
		screen,
		image: () => one<HTMLImageElement>('.diagram img'),
		problem: () => one('.diagram .problem')?.textContent?.trim() ?? '',
		source: () => one('.diagram pre')?.textContent,
		box: () => one<HTMLElement>('.diagram')!
	};
}

const drawn = async ({ image }: Awaited<ReturnType<typeof show>>) => {
	await expect.poll(() => image()?.naturalWidth ?? 0, PATIENT).toBeGreaterThan(0);
	return decodeURIComponent(image()!.src);
};

beforeEach(() => setLanguage('en'));
afterEach(() => {
	delete document.documentElement.dataset.theme;
	vi.restoreAllMocks();
});

describe('a diagram', { timeout: 60_000 }, () => {
	test('becomes a picture that says what it is', async () => {
		const shown = await show('graph TD\n  accTitle: How it goes\n  A[Start] --> B[End]');

		expect(await drawn(shown)).toContain('Start');
		expect(shown.image()?.alt).toBe('How it goes');
		expect(shown.source()).toBeUndefined();
	});

	test.each([
		['sequence', 'sequenceDiagram\n  Alice->>Bob: 你好'],
		['class', 'classDiagram\n  Animal <|-- Duck'],
		['state', 'stateDiagram-v2\n  [*] --> Still'],
		['entities', 'erDiagram\n  CUSTOMER ||--o{ ORDER : places'],
		['gantt', 'gantt\n  dateFormat YYYY-MM-DD\n  section A\n  Task :a1, 2026-01-01, 30d'],
		['pie', 'pie title Pets\n  "Dogs" : 3\n  "Cats" : 2'],
		['mind map', 'mindmap\n  root((mind))\n    one\n    two'],
		['git', 'gitGraph\n  commit\n  branch a\n  commit']
	])('of another kind is drawn too: %s', async (_kind, source) => {
		await drawn(await show(source));
	});

	test('shows its code while it streams, and nothing moves when it is drawn', async () => {
		const source = 'graph TD\n  A --> B';
		const screen = await render(MarkdownView, { text: fence(source, ''), streaming: true });
		const one = (selector: string) => screen.container.querySelector<HTMLElement>(selector);
		await expect.poll(() => one('pre')?.textContent).toBe(source);
		expect(one('.diagram')).toBeNull();

		// What is in the box, and how high that makes it, from change to change: the picture may come at once.
		const seen: { tag: string | undefined; height: number | undefined }[] = [];
		const look = () => {
			const box = one('.diagram');
			if (box) seen.push({ tag: one('.diagram :is(pre, img)')?.tagName, height: box.offsetHeight });
		};
		const changes = new MutationObserver(look);
		changes.observe(screen.container, { childList: true, subtree: true });
		onTestFinished(() => changes.disconnect());

		await screen.rerender({ text: `${fence(source)}\nAfter it.`, streaming: true });
		await expect.poll(() => one('.diagram img'), PATIENT).not.toBeNull();
		look();

		expect([...new Set(seen.map(({ tag }) => tag))]).toEqual(['PRE', 'IMG']);
		expect(new Set(seen.map(({ height }) => height)).size).toBe(1);
	});

	test('that is wrong shows its source and what is wrong with it, at the same height', async () => {
		const source = 'graph TD\n  A --> --> B';
		const shown = await show(source);
		const height = shown.box().offsetHeight;
		await expect.poll(shown.problem, PATIENT).toContain('This diagram cannot be drawn.');

		expect(shown.problem()).toContain('line 2');
		expect(shown.source()).toBe(source);
		expect(shown.box().offsetHeight).toBe(height);
	});

	test('gives its source on request, and copies it', async () => {
		const write = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
		const source = 'graph TD\n  A --> B';
		const shown = await show(source);
		await drawn(shown);
		const { screen } = shown;

		await screen.getByRole('button', { name: 'Source' }).click();
		expect(shown.source()).toBe(source);
		await screen.getByRole('button', { name: 'Copy' }).click();
		expect(write).toHaveBeenCalledExactlyOnceWith(source);
		await screen.getByRole('button', { name: 'Source' }).click();
		await expect.poll(shown.image).not.toBeNull();
	});

	test('fits its box, and scrolls in it at full size without widening the page', async () => {
		const steps = Array.from({ length: 40 }, (_, at) => `S${at}[Step ${at}] --> S${at + 1}`);
		const shown = await show(`graph LR\n${steps.join('\n')}`);
		await drawn(shown);
		const view = () => shown.box().querySelector<HTMLElement>('.view')!;
		await expect.poll(() => view().scrollWidth <= view().clientWidth).toBe(true);

		await shown.screen.getByRole('button', { name: 'Full size' }).click();

		await expect.poll(() => view().scrollWidth > view().clientWidth).toBe(true);
		expect(view().tabIndex).toBe(0);
		view().scrollLeft = 0;
		expect(shown.image()!.getBoundingClientRect().left).toBeGreaterThanOrEqual(
			view().getBoundingClientRect().left
		);
		expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(window.innerWidth);
	});

	test('from left to right has a low box where there is little room, and nothing moves either', async () => {
		await page.viewport(360, 740);
		onTestFinished(() => page.viewport(1280, 800));
		const flat = await show(
			'graph LR\n' +
				'ABCDEF'
					.split('')
					.map((name) => `${name} --> Z${name}`)
					.join('\n')
		);
		const before = flat.box().offsetHeight;
		await drawn(flat);

		expect(flat.box().offsetHeight).toBe(before);
		expect(before).toBeLessThan(230);
	});

	test('takes the colours of the theme, and takes them again when it changes', async () => {
		document.documentElement.dataset.theme = 'light';
		const shown = await show('graph TD\n  Day --> Night');
		const light = await drawn(shown);

		document.documentElement.dataset.theme = 'dark';

		await expect.poll(() => decodeURIComponent(shown.image()!.src), PATIENT).not.toBe(light);
	});

	test('that is too long is not tried', async () => {
		const shown = await show('graph TD\n' + '  A --> B\n'.repeat(LONGEST_SOURCE / 10));

		await expect.poll(shown.problem).toContain('longer than 20,000 characters');
		expect(shown.source()?.length).toBeGreaterThan(LONGEST_SOURCE);
	});

	test('with more lines than can be drawn says so', async () => {
		const shown = await show('graph TD\n' + 'A-->B\n'.repeat(501));

		await expect.poll(shown.problem, PATIENT).toMatch(/cannot be drawn.*500/s);
	});

	test('speaks Chinese', async () => {
		setLanguage('zh');
		const { screen, problem } = await show('graph TD\n  A --> --> C');

		await expect.element(screen.getByRole('button', { name: '源码' })).toBeVisible();
		await expect.poll(problem, PATIENT).toContain('这张图画不出来。');
	});
});

const HOSTILE: readonly string[] = [
	'graph TD; A["<img src=x onerror=tripped(1)>"] --> B',
	'graph TD; A["<script>tripped(1)</script>"] --> B["<svg onload=tripped(1)>"]',
	'graph TD; A --> B; click A "javascript:tripped(1)"',
	'graph TD; A --> B; click A href "javascript:tripped(1)" _self',
	'graph TD; A --> B; click A call tripped(1)',
	`graph TD; A --> B; click A "${EVIL}/" "tip"`,
	'%%{init: {"securityLevel": "loose", "htmlLabels": true, "flowchart": {"htmlLabels": true}}}%%\ngraph TD; A["<img src=x onerror=tripped(1)>"] --> B',
	`%%{init: {"themeCSS": "@import url(${EVIL}/s.css); * { background: url(${EVIL}/b.png) }"}}%%\ngraph TD; A-->B`,
	`---\nconfig:\n  securityLevel: loose\n  themeCSS: "@import url(${EVIL}/s.css)"\n---\ngraph TD; A-->B`,
	`%%{init: {"themeVariables": {"primaryColor": "red; background: url(${EVIL}/c.png)", "lineColor": "</style><img src=x onerror=tripped(1)>"}}}%%\ngraph TD; A-->B`,
	`%%{init: {"fontFamily": "x; } * { background: url(${EVIL}/f.png) }"}}%%\ngraph TD; A-->B`,
	'%%{init: {"dompurifyConfig": {"ADD_TAGS": ["script", "iframe"], "ADD_ATTR": ["onerror"]}}}%%\ngraph TD; A["<img src=x onerror=tripped(1)>"]',
	'%%{init: {"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}}%%\ngraph TD; A-->B',
	`graph TD; A-->B; style A fill:url(${EVIL}/x.svg),background:url(${EVIL}/y.png)`,
	`graph TD; A-->B; classDef evil background:url(${EVIL}/z.png); class A evil`,
	`flowchart TD\n  A@{ img: "${EVIL}/i.png", label: "x", h: 60 }`,
	`sequenceDiagram\n  participant A\n  link A: x @ javascript:tripped(1)\n  A->>A: <img src=${EVIL}/i.png>`,
	'classDiagram\n  class A\n  link A "javascript:tripped(1)"\n  callback A "tripped"',
	'classDiagram\n  class A["<iframe srcdoc=<script>parent.tripped(1)</script>>"]',
	'pie title <img src=x onerror=tripped(1)>\n  "<svg onload=tripped(1)>" : 3',
	'stateDiagram-v2\n  s1: <img src=x onerror=tripped(1)>\n  click s1 "javascript:tripped(1)"',
	'erDiagram\n  A ||--o{ B : "<img src=x onerror=tripped(1)>"',
	'graph TD; A["$$\\href{javascript:tripped(1)}{x}\\includegraphics{https://evil.example/k}$$"]',
	'mindmap\n  root["<img src=x onerror=tripped(1)>"]',
	'gantt\n  title <img src=x onerror=tripped(1)>\n  section A\n  T :a1, 2026-01-01, 3d\n  click a1 href "javascript:tripped(1)"',
	'"><img src=x onerror=tripped(1)>'
];

describe('a diagram that means harm', { timeout: 60_000 }, () => {
	test.each(HOSTILE.map((source) => [source]))('does none: %s', async (source) => {
		const tripped = vi.fn();
		Object.assign(window, { tripped });
		performance.clearResourceTimings();
		const shown = await show(source);

		await expect.poll(() => shown.image() ?? shown.problem(), PATIENT).not.toBe('');
		const picture = shown.image() ? await drawn(shown) : '';

		expect(tripped).not.toHaveBeenCalled();
		expect(activeParts(picture)).toEqual([]);
		expect([
			...document.querySelectorAll('.markdown svg:not(.lucide-icon), .markdown iframe')
		]).toEqual([]);
		expect(foreignRequests()).toEqual([]);
		expect('polluted' in {}).toBe(false);
	});

	test('would do it in a frame that is no part of the page', async () => {
		await drawn(await show('graph TD\n  A --> Apart'));
		const frames = [...document.querySelectorAll<HTMLIFrameElement>('iframe.diagram-frame')];

		expect(frames).toHaveLength(1);
		expect(frames[0]!.sandbox.value).toBe('allow-scripts');
		expect(frames[0]!.contentDocument).toBeNull();
		expect(() => frames[0]!.contentWindow!.location.href).toThrow();
	});
});

/** What would run, load or lead elsewhere if the picture were a document. */
function activeParts(svg: string): string[] {
	if (!svg) return [];
	const document = new DOMParser().parseFromString(svg.replace(/^[^,]*,/, ''), 'image/svg+xml');
	return [...document.querySelectorAll('*')].flatMap((element) => {
		const isBad = /^(?:script|iframe|object|embed|meta|link|base|form|input)$/i.test(
			element.localName
		);
		const attributes = [...element.attributes].filter(
			({ name, value }) => /^on/i.test(name) || /^\s*(?:javascript|vbscript|data:text)/i.test(value)
		);
		return isBad || attributes.length > 0 ? [element.outerHTML.slice(0, 300)] : [];
	});
}

function foreignRequests(): string[] {
	return performance
		.getEntriesByType('resource')
		.map(({ name }) => name)
		.filter((name) => name.startsWith('http') && new URL(name).origin !== location.origin);
}
