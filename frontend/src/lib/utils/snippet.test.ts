import { expect, test } from 'vitest';
import { markedParts } from './snippet';

test('hits are told apart, and escaped text is read once', () => {
	expect(markedParts('a &lt;b&gt; <mark>天&amp;气</mark> &amp;lt; &quot;&#x27;')).toEqual([
		{ text: 'a <b> ', isMarked: false },
		{ text: '天&气', isMarked: true },
		{ text: ' &lt; "\'', isMarked: false }
	]);
});

test('of an answer the marks of Markdown are left out, of a question nothing is', () => {
	const snippet = 'It **keeps <mark>what</mark> it** `has` read';
	const texts = (isMarkdown: boolean) => markedParts(snippet, isMarkdown).map(({ text }) => text);

	expect(texts(true)).toEqual(['It keeps ', 'what', ' it has read']);
	expect(texts(false).join('')).toBe('It **keeps what it** `has` read');
});

test('a text without hits, and none at all', () => {
	expect(markedParts('plain')).toEqual([{ text: 'plain', isMarked: false }]);
	expect(markedParts('')).toEqual([]);
});
