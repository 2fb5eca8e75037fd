import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '$lib/types/wire';
import { aMessage } from '../../../tests/builders';
import { newestLeaf, pathTo, withMessage, withoutMessage, type Tree } from './path';

const tree = (...messages: Message[]): Tree => new Map(messages.map((each) => [each.id, each]));

/** Any tree: each message hangs below an earlier one, or is a root. */
const anyTree = fc.array(fc.nat(), { minLength: 1, maxLength: 30 }).map((parents) =>
	tree(
		...parents.map((parent, index) =>
			aMessage({
				id: `m${index}`,
				parent_id: index === 0 || parent % (index + 1) === index ? null : `m${parent % index}`
			})
		)
	)
);

describe('the active path', () => {
	test('begins at a root, ends at the leaf, and each is the parent of the next', () => {
		fc.assert(
			fc.property(anyTree, fc.nat(), (all, at) => {
				const leaf = `m${at % all.size}`;

				const path = pathTo(all, leaf);

				expect(path[0]?.parent_id).toBeNull();
				expect(path.at(-1)?.id).toBe(leaf);
				path.slice(1).forEach((each, index) => expect(each.parent_id).toBe(path[index]?.id));
			})
		);
	});

	test('is empty for a leaf that is not known, and ends on a broken circle', () => {
		const circle = tree(
			aMessage({ id: 'a', parent_id: 'b' }),
			aMessage({ id: 'b', parent_id: 'a' })
		);

		expect(pathTo(tree(), 'x')).toEqual([]);
		expect(pathTo(circle, 'a')).toHaveLength(2);
	});

	test('the newest leaf below a message is a leaf, and below it', () => {
		fc.assert(
			fc.property(anyTree, fc.nat(), (all, at) => {
				const from = `m${at % all.size}`;

				const leaf = newestLeaf(all, from);

				expect([...all.values()].some(({ parent_id }) => parent_id === leaf)).toBe(false);
				expect(pathTo(all, leaf).map(({ id }) => id)).toContain(from);
			})
		);
	});
});

describe('changes', () => {
	test('an older state of a message does not replace a newer one', () => {
		const now = aMessage({ id: 'a', content: 'new' });
		const before = { ...now, content: 'old', updated_at: '2000-01-01T00:00:00.000000Z' };

		expect(withMessage(tree(now), before).get('a')?.content).toBe('new');
	});

	test('a new sibling makes itself known to the others', () => {
		const next = withMessage(
			tree(aMessage({ id: 'a' })),
			aMessage({ id: 'b', sibling_ids: ['a', 'b'] })
		);

		expect(next.get('a')?.sibling_ids).toEqual(['a', 'b']);
	});

	test('with a message goes what is below it, and nothing else', () => {
		fc.assert(
			fc.property(anyTree, fc.nat(), (all, at) => {
				const gone = `m${at % all.size}`;

				const left = withoutMessage(all, gone);

				for (const { id } of all.values())
					expect(left.has(id)).toBe(!pathTo(all, id).some((each) => each.id === gone));
			})
		);
	});
});
