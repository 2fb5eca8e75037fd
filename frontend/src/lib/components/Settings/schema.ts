/**
 * Owns reading a JSON schema that somebody wrote, and saying where it is wrong: in which line, or at which path.
 * Does not know the words of JSON Schema: `schema_words.ts` does.
 */

import { parse, type ParseError } from 'jsonc-parser';
import { isRecord } from '$lib/utils/storage';
import { FITS, isPattern, WORDS, type Expected } from './schema_words';

export type SchemaError =
	| { kind: 'not_json'; line: number; column: number }
	| { kind: 'not_object' }
	| { kind: 'wrong'; path: string; expected: Expected };
export type SchemaReading =
	{ schema: Record<string, unknown> | null; error?: undefined } | { error: SchemaError };

/** Empty is no schema. */
export function readSchema(text: string): SchemaReading {
	if (!text.trim()) return { schema: null };
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return { error: { kind: 'not_json', ...firstError(text) } };
	}
	if (!isRecord(value)) return { error: { kind: 'not_object' } };
	const wrong = wrongIn(value, '', value);
	return wrong ? { error: { kind: 'wrong', ...wrong } } : { schema: value };
}

/** Browsers say where in words of their own, or not at all. */
function firstError(text: string): { line: number; column: number } {
	const errors: ParseError[] = [];
	parse(text, errors, { disallowComments: true, allowTrailingComma: false });
	const before = text.slice(0, errors[0]?.offset ?? text.length).split('\n');
	return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

interface Wrong {
	path: string;
	expected: Expected;
}

/** The first part of a schema that is none, with its JSON pointer. */
function wrongIn(schema: unknown, path: string, root: Record<string, unknown>): Wrong | null {
	if (typeof schema === 'boolean') return null;
	if (!isRecord(schema)) return { path, expected: 'schema' };
	for (const [word, value] of Object.entries(schema)) {
		const expected = kindOf(word, value, root);
		const at = `${path}/${escaped(word)}`;
		if (!expected) continue;
		if (!FITS[expected](value)) return { path: at, expected };
		if (expected === 'reference' && !isFound(value as string, root)) return { path: at, expected };
		for (const [place, each] of inner(expected, value, at)) {
			const isNamedByPattern =
				word !== 'patternProperties' || isPattern(place.slice(at.length + 1));
			const wrong: Wrong | null = isNamedByPattern
				? wrongIn(each, place, root)
				: { path: place, expected: 'pattern' };
			if (wrong) return wrong;
		}
	}
	return null;
}

/** In draft-07 `items` may be a list of schemas. */
const kindOf = (
	word: string,
	value: unknown,
	root: Record<string, unknown>
): Expected | undefined =>
	word === 'items' && Array.isArray(value) && String(root.$schema).includes('/draft-0')
		? 'schemas'
		: WORDS.get(word);

/** The schemas inside the value of a word, by their paths. */
function inner(expected: Expected, value: unknown, path: string): [path: string, value: unknown][] {
	if (expected === 'schema') return [[path, value]];
	if (expected !== 'schemas' && expected !== 'schema_map') return [];
	return Object.entries(value as object).map(([name, each]) => [`${path}/${escaped(name)}`, each]);
}

/** Only what is in this schema can be referred to: the engine fetches nothing. */
function isFound(reference: string, root: unknown): boolean {
	if (!reference.startsWith('#')) return false;
	// An anchor may stand anywhere.
	if (reference !== '#' && !reference.startsWith('#/')) return true;
	let found = root;
	for (const part of reference.split('/').slice(1)) {
		if (typeof found !== 'object' || found === null) return false;
		found = (found as Record<string, unknown>)[unescaped(part)];
	}
	return FITS.schema(found);
}

function unescaped(part: string): string {
	const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
	try {
		return decodeURIComponent(name);
	} catch {
		return name;
	}
}

const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** What the engine is asked for. */
export const responseFormat = (schema: Record<string, unknown>) => ({
	type: 'json_schema',
	json_schema: { name: 'answer', schema }
});

/** The schema inside what is set for a chat, as text to be changed. */
export function schemaText(format: unknown): string {
	const wrapped =
		isRecord(format) && isRecord(format.json_schema) ? format.json_schema.schema : null;
	return wrapped ? JSON.stringify(wrapped, null, 2) : '';
}
