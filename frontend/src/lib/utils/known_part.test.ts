import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '$lib/types/wire';
import { aMessage } from '../../../tests/builders';
import { isElsewhere, isWhole, isWholeBelow, withOlder } from './known_part';
import { pathTo, withoutMessage, type Tree } from './path';

const tree = (...messages: Message[]): Tree => new Map(messages.map((each) => [each.id, each]));
const none: ReadonlySet<string> = new Set();

/** Any tree, siblings known to each other, parents before their children. */
const anyTree = fc.array(fc.nat(), { minLength: 1, maxLength: 30 }).map((parents) => {
	const all = parents.map((parent, index) =>
		aMessage({ id: `m${index}`, parent_id: index === 0 ? null : `m${parent % index}` })
	);
	for (const message of all)
		message.sibling_ids = all
			.filter(({ parent_id }) => parent_id === message.parent_id)
			.map(({ id }) => id);
	return tree(...all);
});
/** The newest turns of the branch that ends at a leaf, as they come with a chat. */
const tailOf = (all: Tree, leaf: string, turns: number) => tree(...pathTo(all, leaf).slice(-turns));

describe('a part of a tree', () => {
	test('is whole with nothing missing, and only then, as far as its branch goes to a leaf', () => {
		fc.assert(
			fc.property(anyTree, fc.nat(), fc.integer({ min: 1, max: 9 }), (all, at, turns) => {
				const leaves = [...all.keys()].filter(
					(id) => ![...all.values()].some(({ parent_id }) => parent_id === id)
				);

				const part = tailOf(all, leaves[at % leaves.length]!, turns);

				expect(isWhole(all)).toBe(true);
				expect(isWhole(part)).toBe(part.size === all.size);
			})
		);
	});

	test('becomes whole with all that is missing, in the order of the server', () => {
		fc.assert(
			fc.property(anyTree, fc.nat(), fc.integer({ min: 1, max: 9 }), (all, at, turns) => {
				const part = tailOf(all, `m${at % all.size}`, turns);

				const whole = withOlder(part, [...all.values()], none);

				expect([...whole]).toEqual([...all]);
			})
		);
	});

	test('never gets back what was deleted meanwhile, nor what was below it', () => {
		fc.assert(
			fc.property(anyTree, fc.nat(), fc.nat(), (all, at, gone) => {
				const deleted = `m${gone % all.size}`;
				const part = withoutMessage(tailOf(all, `m${at % all.size}`, 3), deleted);

				const merged = withOlder(part, [...all.values()], new Set([deleted]));

				expect(merged).toEqual(withoutMessage(all, deleted));
			})
		);
	});

	test('loses what is below a message that was deleted before it was here', () => {
		const first = aMessage({ id: 'q' });
		const deleted = aMessage({ id: 'a', parent_id: 'q' });
		const shown = aMessage({ id: 'b', parent_id: 'a' });

		expect([...withOlder(tree(shown), [first, deleted, shown], new Set(['a'])).keys()]).toEqual([
			'q'
		]);
	});

	test('keeps what it knows better than a page that was asked for earlier', () => {
		const older = aMessage({ id: 'a', content: 'before' });
		const newer = aMessage({ id: 'a', content: 'after' });

		expect(withOlder(tree(newer), [older], none).get('a')?.content).toBe('after');
		expect(withOlder(tree(older), [newer], none).get('a')?.content).toBe('after');
	});
});

describe('what is missing', () => {
	const first = aMessage({ id: 'q' });
	const other = aMessage({ id: 'a', parent_id: 'q', sibling_ids: ['a', 'b'] });
	const shown = aMessage({ id: 'b', parent_id: 'q', sibling_ids: ['a', 'b'] });
	const last = aMessage({ id: 'c', parent_id: 'b' });

	test('below a message is told: other branches', () => {
		expect(isWholeBelow(tree(first, shown, last), 'q')).toBe(false);
		expect(isWholeBelow(tree(first, shown, last), 'b')).toBe(true);
		expect(isWholeBelow(tree(first, other, shown, last), 'q')).toBe(true);
	});

	test('is told from what is new', () => {
		const next = aMessage({ id: 'd', parent_id: 'c' });

		expect(isElsewhere(tree(first, shown, last), other)).toBe(true);
		expect(isElsewhere(tree(first, shown, last), next)).toBe(false);
		expect(isElsewhere(tree(first, shown, last), shown)).toBe(false);
	});
});
