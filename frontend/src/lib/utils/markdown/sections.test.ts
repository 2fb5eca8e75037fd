import { expect, test } from 'vitest';
import { Sections } from './sections';

const part = (name: number, done = true) => ({ name, done });
const parts = (count: number) => Array.from({ length: count }, (_, at) => part(at));

test('sections joined are the parts, in their order', () => {
	const all = parts(101);
	const cut = new Sections<ReturnType<typeof part>>().of(all, true);
	expect(cut.flatMap((section) => section.parts)).toEqual(all);
	expect(new Set(cut.map(({ key }) => key)).size).toBe(cut.length);
});

test('what did not change is the same object again', () => {
	const sections = new Sections<ReturnType<typeof part>>();
	const all = parts(100);
	const before = sections.of(all, false);
	const grown = sections.of([...all, part(100)], false);
	expect(grown[0]).toBe(before[0]);
	expect(grown[1]).toBe(before[1]);
	expect(grown.at(-1)).not.toBe(before.at(-1));

	const changed = [...all, part(100)];
	changed[30] = part(-1);
	const after = sections.of(changed, false);
	expect(after[0]).toBe(before[0]);
	expect(after[1]).not.toBe(before[1]);
	expect(after[1]?.parts[6]).toEqual(part(-1));
});

test('a section is done when nothing in it can change any more', () => {
	const sections = new Sections<ReturnType<typeof part>>();
	expect(sections.of(parts(10), false)[0]?.done).toBe(false);
	expect(sections.of(parts(30), false)[0]?.done).toBe(true);
	expect(sections.of([...parts(29), part(29, false)], true).at(-1)?.done).toBe(false);
	expect(sections.of(parts(10), true)[0]?.done).toBe(true);
});

test('a list cut short is followed', () => {
	const sections = new Sections<ReturnType<typeof part>>();
	sections.of(parts(60), false);
	expect(sections.of(parts(49), false).flatMap((section) => section.parts)).toEqual(parts(49));
});
