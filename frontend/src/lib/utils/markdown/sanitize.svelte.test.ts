import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import createPurifier from 'dompurify';
import { escapeHtml } from './inline';
import { sanitize, sanitizeCode } from './sanitize';

const purifier = createPurifier(window);
const TEXT = ['a', ' ', '"', "'", '>', '`', '\n', '你', '&lt;', '&amp;', '&gt;', '&quot;', '&#39;'];
const TAGS = ['strong', 'em', 'code', 'del'].flatMap((tag) => [`<${tag}>`, `</${tag}>`]);
const HOSTILE = [
	...[
		'<script>',
		'<img src=x onerror=x()>',
		'<strong onclick=x()>',
		'<em/onclick=x()>',
		'<b>',
		'<'
	],
	...['<strong\n>', '<STRONG>', '</strong x>', '<code style=x>', '&#60;<b>', '<!-- -->'],
	...['<span class="hljs-x" id="y">', '<span class="fixed">', "<span class='hljs-x'>", '<svg>']
];
const html = (parts: readonly string[]) =>
	fc.array(fc.constantFrom(...parts), { maxLength: 20 }).map((all) => all.join(''));
const dom = (markup: string) => {
	const template = document.createElement('template');
	template.innerHTML = markup;
	return template.innerHTML;
};
const parsed = () => vi.spyOn(DOMParser.prototype, 'parseFromString');

test('what is let through is what the sanitiser would have left, tag for tag', () => {
	fc.assert(
		fc.property(html([...TEXT, ...TAGS, '<br>']), (parts) => {
			const markup = `x${parts}`; // a document drops spaces before its first word
			const purified = purifier.sanitize(markup, {
				ALLOWED_TAGS: ['strong', 'em', 'code', 'del', 'br']
			});
			expect(dom(String(sanitize(markup)))).toBe(dom(purified));
		}),
		{ numRuns: 500 }
	);
});

test('whatever else stands among it goes to the sanitiser whole', () => {
	const spy = parsed();
	fc.assert(
		fc.property(
			html([...TEXT, ...TAGS]),
			fc.constantFrom(...HOSTILE),
			html(TEXT),
			(before, bad, after) => {
				for (const one of [sanitize, sanitizeCode]) {
					spy.mockClear();
					const left = document.createElement('div');
					left.innerHTML = String(one(`${before}${bad}x${after}`));
					expect(spy, bad).toHaveBeenCalled();
					expect(
						left.querySelector('script, img, svg, [onclick], [style], [id], .fixed')
					).toBeNull();
				}
			}
		),
		{ numRuns: 300 }
	);
	spy.mockRestore();
});

test.each([
	'',
	'x',
	'a > b',
	'<strong>a</strong><br>',
	'&lt;script&gt;',
	escapeHtml('<img src=x>')
])('plain markup does not wait for a parser: %j', (markup) => {
	const spy = parsed();
	expect(String(sanitize(markup))).toBe(markup);
	expect(spy).not.toHaveBeenCalled();
	spy.mockRestore();
});

test('colours of code do not wait for a parser either, and classes of other kinds do', () => {
	const spy = parsed();
	const coloured =
		'<span class="hljs-title function_">f</span>(&#x27;<span class="language-xml">x</span>';
	expect(String(sanitizeCode(coloured))).toBe(coloured);
	expect(spy).not.toHaveBeenCalled();
	expect(String(sanitize(coloured))).not.toContain('class');
	spy.mockRestore();
});
