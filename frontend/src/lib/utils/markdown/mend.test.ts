import { expect, test } from 'vitest';
import { InlineRenderer } from './inline';
import { mend } from './mend';

test.each([
	['**bold', '**bold**'],
	['**bold ', '**bold** '],
	['**bold*', '**bold**'],
	['**bold**', '**bold**'],
	['text **', 'text '],
	['*it **both', '*it **both***'],
	['~~gone', '~~gone~~'],
	['`code', '`code`'],
	['``a ` b', '``a ` b``'],
	['text `', 'text '],
	['**bold `code', '**bold `code`**'],
	['[label', 'label'],
	['[label](https://a.ex', 'label'],
	['[label](https://a.example "ti', 'label'],
	['![picture](https://a.ex', ''],
	['**[label](https://a', '**label**'],
	['text <sp', 'text '],
	['text \\', 'text '],
	['so $x^2 + y', 'so $x^2 + y$'],
	['$a_1$ and $b^2', '$a_1$ and $b^2$'],
	['it costs $5 and', 'it costs $5 and'],
	['echo $HOME and', 'echo $HOME and'],
	['snake_case_name', 'snake_case_name'],
	['2 * 3', '2 * 3'],
	['array[0]', 'array[0]']
])('closes for display what is open: %s', (source, text) => {
	expect(mend(source).text).toBe(text);
});

test.each([
	['**bold', true],
	['https://a.example/x', true],
	['plain **bold** text', false]
])('tells whether what follows belongs inside: %s', (source, open) => {
	expect(mend(source).open).toBe(open);
});

test('what it makes is what marked closes', () => {
	const renderer = new InlineRenderer({}, {});

	expect(renderer.render(mend('a **b *c `d').text)).toBe(
		'a <strong>b <em>c <code>d</code></em></strong>'
	);
});
