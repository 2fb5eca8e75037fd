/** The answers that are streamed: two as models write them, and four that are one huge block. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * @param {number} tokens
 * @param {(index: number) => string} part
 */
function repeat(tokens, part) {
	let text = '';
	for (let index = 0; text.length < tokens * CHARACTERS_PER_TOKEN; index++) text += part(index);
	return text;
}

const PROSE =
	'The engine keeps the keys and values of the prompt, so the **second turn** needs only its `new` tokens; see [the notes](https://example.org/a?b=c) and *try* it for 12 users. ';
/** @param {number} i */
const FUNCTION = (i) =>
	`def handle_${i}(request, limit=${i}):\n    """Answers one request."""\n    for item in request.items[:limit]:\n        yield item["name"], len(item)  # keep the order\n\n\n`;

/** @param {number} index */
function mixed(index) {
	return [
		`## Part ${index + 1}\n\n`,
		PROSE.repeat(3) + '\n\n',
		`- first point with \`code\`\n- second point, **important**\n  - nested ${index}\n\n`,
		'```python\n' + FUNCTION(index).trimEnd() + '\n```\n\n',
		'引擎保留提示词的键和值，所以**第二轮**只需要新的词元，这样首个词元的延迟会更低。\n\n',
		'| name | value | note |\n|---|--:|---|\n| a | 1 | `x` |\n| b | 2 | **y** |\n\n',
		`1. one\n2. two ${index}\n\n> A quote with *emphasis*.\n\n`
	].join('');
}

/** @type {{ name: string, tokens: number, text: (tokens: number) => string }[]} */
export const ANSWERS = [
	{ name: 'answer of 10k tokens', tokens: 10_000, text: (n) => repeat(n, mixed) },
	{ name: 'answer of 50k tokens', tokens: 50_000, text: (n) => repeat(n, mixed) },
	{
		name: 'one table of 10k',
		tokens: 10_000,
		text: (n) =>
			'| a | b | c |\n|---|:-:|---|\n' +
			repeat(n, (i) => `| cell ${i} | **b${i}** | \`c${i}\` and more text |\n`)
	},
	{
		name: 'one list of 10k',
		tokens: 10_000,
		text: (n) => repeat(n, (i) => `- item ${i} with **bold** and \`code\` and some more words\n`)
	},
	{ name: 'one paragraph of 10k', tokens: 10_000, text: (n) => repeat(n, () => PROSE) },
	{
		name: 'one fence of 10k',
		tokens: 10_000,
		text: (n) => '```python\n' + repeat(n, FUNCTION) + '```\n'
	}
];
