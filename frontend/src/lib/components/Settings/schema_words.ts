/**
 * Owns what the words of JSON Schema (2020-12, with those of draft-07) may hold.
 * Does not walk through a schema: `schema.ts` does.
 */

import { isRecord } from '$lib/utils/storage';

/** What was expected where something else stands. */
export type Expected =
	| 'schema'
	| 'schemas'
	| 'schema_map'
	| 'type'
	| 'text'
	| 'number'
	| 'above_zero'
	| 'count'
	| 'flag'
	| 'list'
	| 'names'
	| 'name_map'
	| 'pattern'
	| 'reference';

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isNames = (value: unknown): boolean =>
	Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const isType = (value: unknown): boolean =>
	Array.isArray(value)
		? value.length > 0 && isNames(value) && value.every((each) => TYPES.includes(each as string))
		: TYPES.includes(value as string);

export function isPattern(value: unknown): boolean {
	if (!isText(value)) return false;
	try {
		new RegExp(value);
		return true;
	} catch {
		return false;
	}
}

/** A schema may also be `true` or `false`. */
export const isSchema = (value: unknown): boolean => typeof value === 'boolean' || isRecord(value);
export const isSchemas = (value: unknown): value is unknown[] =>
	Array.isArray(value) && value.length > 0;

export const FITS: Record<Expected, (value: unknown) => boolean> = {
	schema: isSchema,
	schemas: isSchemas,
	schema_map: isRecord,
	type: isType,
	text: isText,
	number: isNumber,
	above_zero: (value) => isNumber(value) && value > 0,
	count: (value) => Number.isInteger(value) && (value as number) >= 0,
	flag: (value) => typeof value === 'boolean',
	list: Array.isArray,
	names: isNames,
	name_map: (value) => isRecord(value) && Object.values(value).every(isNames),
	pattern: isPattern,
	reference: isText
};

const words = (expected: Expected, names: string): [string, Expected][] =>
	names.split(' ').map((name) => [name, expected]);

/** Words that are not here may hold anything. */
export const WORDS: ReadonlyMap<string, Expected> = new Map([
	...words('schema', 'not if then else contains additionalProperties propertyNames items'),
	...words('schema', 'additionalItems unevaluatedItems unevaluatedProperties contentSchema'),
	...words('schemas', 'allOf anyOf oneOf prefixItems'),
	...words('schema_map', 'properties patternProperties $defs definitions dependentSchemas'),
	...words('type', 'type'),
	...words('text', '$id $schema $anchor $comment title description format'),
	...words('text', 'contentEncoding contentMediaType'),
	...words('number', 'maximum minimum exclusiveMaximum exclusiveMinimum'),
	...words('above_zero', 'multipleOf'),
	...words('count', 'maxLength minLength maxItems minItems maxProperties minProperties'),
	...words('count', 'maxContains minContains'),
	...words('flag', 'uniqueItems deprecated readOnly writeOnly'),
	...words('list', 'enum examples'),
	...words('names', 'required'),
	...words('name_map', 'dependentRequired'),
	...words('pattern', 'pattern'),
	...words('reference', '$ref')
]);
