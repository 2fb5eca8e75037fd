/**
 * Documents and ways to cut them, for the tests of rendering: what models write, and what is
 * nasty for a renderer that sees a text grow. Asserts nothing.
 */
import fc from 'fast-check';

/** Lines and half lines that begin, end or upset something. */
const PIECES = [
	...[
		'word',
		'two words',
		' ',
		'  ',
		'\t',
		'\n',
		'\n\n',
		'\r\n',
		'\r',
		'\\',
		'\0',
		'😀',
		'你好，世界。'
	],
	...[
		'# ',
		'### ',
		'#',
		'===',
		'---',
		'***',
		'- ',
		'* ',
		'+ ',
		'1. ',
		'10) ',
		'    ',
		'   ',
		'> ',
		'>'
	],
	...[
		'- [ ] ',
		'- [x] ',
		'[',
		']',
		'(',
		')',
		'[a]',
		'[a][b]',
		'[b]: /u',
		'[a]: <u> "t"',
		'![i](',
		'[^n]',
		'\n[^n]: ',
		'[^m]:',
		'](x)'
	],
	...[
		'**',
		'*',
		'_',
		'__',
		'~~',
		'`',
		'``',
		'```',
		'~~~',
		'```js',
		'````',
		'|',
		'|-|-|',
		':-:|-',
		'a | b'
	],
	...[
		'<div>',
		'</div>',
		'<b>',
		'</b>',
		'<br>',
		'<!--',
		'-->',
		'<script>',
		'</script>',
		'<a href="',
		'<'
	],
	...[
		'https://a.example/x',
		'www.a.example',
		'me@a.example',
		'&amp;',
		'&',
		'"',
		"'",
		'!',
		'a_b_c',
		'2 * 3',
		'$',
		'$$',
		'\\(',
		'\\)',
		'\\[',
		'\n$$\n'
	],
	'| a | b |\n|---|:-:|\n| 1 | 2 |\n',
	'```python\ndef f():\n    """doc\n\n    """\n```\n',
	'```mermaid\ngraph TD\n  A --> B\n```\n',
	'```mermaid\n',
	'Setext\n===\n',
	'1. one\n\n   two\n2. three\n',
	'- a\n  - b\n    ```\n    c\n    ```\n',
	'A note[^n], and[^n] another[^m].\n\n[^n]: The *note*\n    goes on.\n\n    - a list\n[^m]: `m`\n',
	'See [late] and [later][late].\n',
	'\n[late]: https://late.example "Late"\n'
];

/** Random documents, with a run of words now and then that is long enough to be cut in segments. */
export const documents = fc
	.array(
		fc.oneof(
			{ weight: 12, arbitrary: fc.constantFrom(...PIECES) },
			{
				weight: 1,
				arbitrary: fc
					.constantFrom('some more words, ', '**bold** and `code` ')
					.map((s) => s.repeat(12))
			},
			{ weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) }
		),
		{ maxLength: 40 }
	)
	.map((pieces) => pieces.join(''));

/** Lengths of the pieces a document comes in. */
export const chunkings = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 });

/** The growing prefixes of a text; the lengths are used in turn until it is through. */
export function* prefixes(text: string, lengths: readonly number[]): Generator<string> {
	for (let at = 0, turn = 0; at < text.length; turn++) {
		at += lengths[turn % lengths.length] ?? 1;
		yield text.slice(0, at);
	}
}

/** What upsets renderers that see only the beginning of a text. */
export const NASTY: readonly string[] = [
	'```js\nlet a = 1;\n',
	'- a\n  ```\n  b\n',
	'```mermaid\ngraph TD\n  A --> B\n```\nafter\n\n- ~~~mermaid\n  pie\n  ~~~\n- b\n  ```mermaid\n  never ends',
	'> ```mermaid\n> graph TD\n\nclosed by its quote',
	'> ```\n> a\n\nb',
	'~~~\n```\n~~~\n',
	'````\n```\nx\n```\n````\nafter',
	'a **b *c `d [e](f "g',
	'![alt](https://x.example/i.png "t',
	'| a | b |\n|---',
	'| a |\n|---|\n| `x\\|y` | z |',
	'a | b\n- | -\n1 | 2',
	'para\n===\nmore\n---\n',
	'para\n=',
	'[x]\n\n[x]: /late',
	'[x]: /u\n"title\n\nnot title"',
	'<!-- never ends\n\ntext after',
	'<div>\n\n**md**\n\n</div>',
	'<script>\nalert(1)\n\nmore',
	'<details><summary>s</summary>\n\ntext\n\n</details>',
	'<b',
	'a < b & c > d &am',
	'1. a\n2. b\n\n   c\n   - d\n\n\n3. e',
	'- \n- x\n-',
	'-\ta\n\n\tb',
	'a\r\nb\r\n\r\nc\rd',
	'# h #\n####### no\n#',
	'* * *\n- - -\n_ _',
	'- [ ] a\n- [x] **b**\n- [',
	'😀'.repeat(40) + '\ud83d',
	'你好，**世界**。'.repeat(30),
	'$$\nx = 1\n- 2\n===\n$$\nafter',
	'\\[\na_1 *b*\n\\] tail',
	'$$\nnever ends\n\n# Heading',
	'It costs $5 and $6, or \\(a_1 < b_1\\) and $a_1 * b_1 * c$.\n\n- $$x$$\n> \\[ y \\]',
	'A formula $x_1 * y_1$ and \\(z_1\\), then **bold** words. '.repeat(20),
	'$$\\frac{1}{2}$$ and $x$ and $$open',
	'<think>unclosed thought',
	'*'.repeat(300),
	'['.repeat(300),
	'>'.repeat(300) + ' deep',
	Array.from({ length: 60 }, (_, at) => '  '.repeat(at) + '- deep').join('\n'),
	'**a**'.repeat(900),
	'a\0b'
];
