/** Long answers of one kind each, to show what streaming them costs. Asserts nothing. */

const PROSE =
	'The engine keeps the keys and values of the prompt, so the **second turn** needs only its `new` tokens; see [the notes](https://example.org/a?b=c) and *try* it for 12 users. ';

function repeat(length: number, part: (index: number) => string): string {
	let text = '';
	for (let index = 0; text.length < length; index++) text += part(index);
	return text;
}

/** Name of a stream to its text of about `length` characters. */
export function streams(length: number): Record<string, string> {
	const many = (part: (index: number) => string) => repeat(length, part);
	return {
		paragraphs: many((i) => (i % 9 === 0 ? `## Part ${i}\n\n` : PROSE.repeat(3) + '\n\n')),
		'one paragraph': many(() => PROSE),
		'one paragraph of Chinese': many(
			() => '引擎保留提示词的键和值，所以**第二轮**只需要新的 `token`，这样首个词元的延迟会更低。'
		),
		list: many((i) => `- item ${i} with **bold** and \`code\` text\n`),
		'loose list': many((i) => `${i + 1}. item with **bold**\n\n   more text here ${i}\n\n`),
		'nested list': many((i) => `${'  '.repeat(i % 5)}- item ${i} with **bold** and \`code\`\n`),
		'one item': '- start\n' + many((i) => `  - item ${i} with **bold** text\n`),
		table:
			'| a | b | c |\n|---|:-:|---|\n' +
			many((i) => `| cell ${i} | **b${i}** | \`c${i}\` and more text |\n`),
		fence: '```python\n' + many((i) => `def f${i}(x):\n    return x * ${i}  # why\n`) + '```\n',
		quote: many(() => `> ${PROSE}\n`),
		html: '<div>\n' + many((i) => `<p>hello <b>${i}</b></p>\n`),
		links: many((i) => `https://example.org/${i} `),
		'late definitions':
			many((i) => `see [note ${i % 5}] and [x][n${i % 7}] here.\n\n`) +
			'\n[note 1]: http://a.example\n[n2]: http://b.example\n',
		'tight emphasis': many(() => '**a**'),
		'an emphasis that never ends': 'a *b ' + many(() => PROSE.replaceAll('*', '')),
		'a code span that never ends': 'a ` b ' + many(() => PROSE.replaceAll('`', '')),
		brackets: many(() => '['),
		'half links': many(() => '[a](b'),
		'one word': many(() => 'x'),
		quotes: many(() => '>'),
		markers: many(() => '- ')
	};
}
