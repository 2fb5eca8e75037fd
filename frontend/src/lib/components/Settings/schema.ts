/** Owns reading a JSON schema that somebody wrote, and saying where it is wrong. */

import { isRecord } from '$lib/utils/storage';

export type SchemaReading =
	| { schema: Record<string, unknown> | null; error?: undefined }
	| { error: { kind: 'not_json'; cause: string } | { kind: 'wrong'; path: string } };

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/** Empty is no schema. Checks the words that decide the shape, not all of the standard. */
export function readSchema(text: string): SchemaReading {
	if (!text.trim()) return { schema: null };
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		return { error: { kind: 'not_json', cause: (error as SyntaxError).message } };
	}
	const path = wrongAt(value, '');
	if (path !== null) return { error: { kind: 'wrong', path: path || '/' } };
	return { schema: value as Record<string, unknown> };
}

/** The path to the first part that is no schema, or null. */
function wrongAt(value: unknown, path: string): string | null {
	if (typeof value === 'boolean' && path) return null;
	if (!isRecord(value)) return path;
	const wrong = Object.keys(RIGHT).find((word) => word in value && !RIGHT[word]?.(value[word]));
	if (wrong) return `${path}/${wrong}`;
	const inner = Object.entries((value.properties ?? {}) as Record<string, unknown>).map(
		([name, each]): [value: unknown, path: string] => [each, `${path}/properties/${name}`]
	);
	if ('items' in value && !Array.isArray(value.items)) inner.push([value.items, `${path}/items`]);
	for (const [each, at] of inner) {
		const found = wrongAt(each, at);
		if (found !== null) return found;
	}
	return null;
}

/** What the words that decide the shape may hold. */
const RIGHT: Record<string, (value: unknown) => boolean> = {
	type: (value) =>
		(Array.isArray(value) ? value : [value]).every((each) => TYPES.includes(each as string)),
	required: (value) => isTexts(value),
	enum: Array.isArray,
	properties: isRecord
};

const isTexts = (value: unknown): boolean =>
	Array.isArray(value) && value.every((each) => typeof each === 'string');

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
