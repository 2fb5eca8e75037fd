import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { prefixes } from '$lib/utils/markdown/testing/documents';
import MarkdownView from './MarkdownView.svelte';

/** Foreign, and never reached: nothing in an answer may ask for anything. */
const EVIL = 'https://evil.example';

const VECTORS: readonly string[] = [
	'<script>alert(1)</script>',
	'<img src=x onerror=alert(1)>',
	`<img src="${EVIL}/a.png">`,
	`![pixel](${EVIL}/p.png "t")`,
	`[![badge](${EVIL}/b.svg)](${EVIL}/c)`,
	`![x](data:image/svg+xml,<svg/onload=alert(1)>)`,
	'<svg onload=alert(1)><script>alert(1)</script></svg>',
	'<svg><style><img src=x onerror=alert(1)></style></svg>',
	'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
	'<a href="javascript:alert(1)">x</a>',
	'[x](javascript:alert(1))',
	'[x](JaVaScRiPt:alert(1))',
	'[x](java&#x0A;script:alert(1))',
	'[x](javascript&colon;alert(1))',
	'[x](&#106;avascript:alert(1))',
	'[x](\u0001javascript:alert(1))',
	'<a href="java\tscript:alert(1)">x</a>',
	'<a href="java\0script:alert(1)">x</a>',
	'[x](data:text/html,<script>alert(1)</script>)',
	'[x](vbscript:msgbox(1))',
	'[x](//evil.example/y)',
	'[x](file:///etc/passwd)',
	'[x](blob:https://evil.example/1)',
	'[r]\n\n[r]: javascript:alert(1)',
	'<javascript:alert(1)>',
	`<iframe src="${EVIL}"></iframe>`,
	'<iframe srcdoc="<script>alert(1)</script>"></iframe>',
	`<object data="${EVIL}"></object><embed src="${EVIL}">`,
	`<link rel=stylesheet href="${EVIL}/s.css"><link rel=prefetch href="${EVIL}/p">`,
	`<style>@import url(${EVIL}/s.css); body { display: none }</style>`,
	`<div style="background: url(${EVIL}/b.png); position: fixed; inset: 0">x</div>`,
	`<table background="${EVIL}/t.png"><tr><td background="${EVIL}/t.png">x</td></tr></table>`,
	`<video src="${EVIL}/v" poster="${EVIL}/p" autoplay></video><audio src="${EVIL}/a"></audio>`,
	`<picture><source srcset="${EVIL}/s"><img srcset="${EVIL}/i 1x"></picture>`,
	`<input type=image src="${EVIL}/i" onfocus=alert(1) autofocus>`,
	`<form action="${EVIL}"><button formaction="javascript:alert(1)">x</button></form>`,
	`<a href="${EVIL}" ping="${EVIL}/ping">x</a>`,
	'<details open ontoggle=alert(1)><summary>x</summary></details>',
	'<div class="fixed inset-0 z-50" id="app" name="x">cover</div>',
	'<a id=defaultView name=documentElement>x</a><form name=body><input name=parentNode></form>',
	'<marquee onstart=alert(1)>x</marquee>',
	'<template><script>alert(1)</script></template><noscript><img src=x onerror=alert(1)></noscript>',
	'<base href="https://evil.example/">',
	`<meta http-equiv=refresh content="0;url=${EVIL}">`,
	'<button popovertarget=x onclick=alert(1)>x</button><div id=x popover>y</div>',
	'<p contenteditable tabindex=1 accesskey=x role=alert aria-label=y data-x=1>x</p>',
	'```html"><img src=x onerror=alert(1)>\n<script>alert(1)</script>\n```',
	'`<img src=x onerror=alert(1)>`',
	'| <img src=x onerror=alert(1)> | a |\n|---|---|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |',
	'- <img src=x onerror=alert(1)>\n- [ ] <svg onload=alert(1)>',
	'# <img src=x onerror=alert(1)>',
	'> <img src=x onerror=alert(1)>',
	'**<img src=x onerror=alert(1)>**',
	'[a<img src=x onerror=alert(1)>](https://a.example "<img src=x onerror=alert(1)>")',
	'![a" onerror="alert(1)](x" onerror="alert(1)',
	'[a](https://a.example/"onmouseover="alert(1))',
	'<b onmouseover=alert(1)>x\n\n</b>',
	'<img src="x` `<script>alert(1)</script>"` `>',
	'<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
	'&lt;script&gt;alert(1)&lt;/script&gt; &#60;img src=x onerror=alert(1)&#62;',
	'<x onclick=alert(1) style=x>custom</x><custom-element onfoo=1>y</custom-element>'
];

const ATTRIBUTES = new Set(
	'href title target rel class dir align start type aria-label aria-busy aria-pressed aria-hidden aria-live role tabindex scope open'.split(
		' '
	)
);
const FORBIDDEN =
	'script, style, iframe, object, embed, link, meta, base, form, input, textarea, select, img, video, audio, source, picture, math, template, noscript, marquee, [style], [id], [name], [srcset]';

const tripped: string[] = [];
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

beforeEach(() => {
	tripped.length = 0;
	for (const name of ['alert', 'prompt', 'confirm', 'print'] as const)
		vi.spyOn(window, name).mockImplementation(() => {
			tripped.push(name);
			return null as never;
		});
	performance.clearResourceTimings();
});
afterEach(() => vi.restoreAllMocks());

function foreignRequests(): string[] {
	return performance
		.getEntriesByType('resource')
		.map(({ name }) => name)
		.filter((name) => new URL(name).origin !== location.origin);
}

function dangers(root: Element): string[] {
	const found = [...root.querySelectorAll(FORBIDDEN)].map((element) => element.outerHTML);
	for (const element of root.querySelectorAll('*')) {
		if (element.closest('svg')?.classList.contains('lucide-icon')) continue; // our own icons
		for (const { name, value } of element.attributes)
			if (!ATTRIBUTES.has(name)) found.push(`${name}=${value} in ${element.outerHTML}`);
		const href = element.getAttribute('href');
		if (href !== null && !/^(?:https?:|mailto:|#)/i.test(href)) found.push(element.outerHTML);
	}
	return found;
}

test.each(VECTORS.map((vector) => [vector]))(
	'is inert at once and as it streams in: %s',
	async (vector) => {
		const whole = await render(MarkdownView, { text: vector, streaming: false });
		const streaming = await render(MarkdownView, { text: '', streaming: true });
		for (const prefix of prefixes(vector, [Math.ceil(vector.length / 6)])) {
			await streaming.rerender({ text: prefix, streaming: true });
			await frame();
			expect(dangers(streaming.container)).toEqual([]);
		}
		for (const element of whole.container.querySelectorAll<HTMLElement>('.markdown *')) {
			if (element.closest('.bar')) continue;
			if (element instanceof HTMLAnchorElement)
				element.addEventListener('click', (e) => e.preventDefault());
			element.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
			element.click?.();
		}
		await frame();

		expect(dangers(whole.container)).toEqual([]);
		expect(tripped).toEqual([]);
		expect(foreignRequests()).toEqual([]);
	}
);

test('no class of an answer’s own reaches the page', async () => {
	const { container } = await render(MarkdownView, {
		text: '<div class="fixed inset-0">x <span class="code">y</span></div>',
		streaming: false
	});

	expect(container.querySelector('.fixed, span.code')).toBeNull();
});

test.each([
	['[good.example](https://evil.example/x)', 'good.example (evil.example)'],
	['[https://good.example/a](https://evil.example/x)', 'https://good.example/a (evil.example)'],
	['[here](https://good.example@evil.example/x)', 'here (evil.example)'],
	['<https://good.example@evil.example/x>', 'https://good.example@evil.example/x (evil.example)'],
	['[here](https://xn--80ak6aa92e.com/)', 'here (xn--80ak6aa92e.com)'],
	['[the docs](https://good.example/x)', 'the docs'],
	['[www.good.example](https://good.example/x)', 'www.good.example'],
	['https://good.example/x', 'https://good.example/x']
])('a link says its real host where its text hides it: %s', async (text, shown) => {
	const { container } = await render(MarkdownView, { text, streaming: false });
	const link = container.querySelector('a');

	expect(link?.textContent).toBe(shown);
	expect(link?.target).toBe('_blank');
	expect(link?.rel).toBe('noopener noreferrer nofollow');
});
