import { describe, expect, test } from 'vitest';
import { readSchema, responseFormat, schemaText } from './schema';

const errorOf = (schema: unknown) => readSchema(JSON.stringify(schema)).error;

describe('a schema', () => {
	test('is read as it is written, and nothing is no schema', () => {
		const schema = {
			$schema: 'https://json-schema.org/draft/2020-12/schema',
			type: 'object',
			properties: {
				name: { type: ['string', 'null'], pattern: '^[a-z]+$', minLength: 1 },
				age: { type: 'integer', minimum: 0, multipleOf: 1 },
				more: { $ref: '#/$defs/a~1b' },
				'': true
			},
			$defs: { 'a/b': { type: 'array', prefixItems: [{}], items: false, uniqueItems: true } },
			required: ['name'],
			additionalProperties: false,
			'x-note': 5
		};
		expect(readSchema(JSON.stringify(schema))).toEqual({ schema });
		expect(readSchema(' \n')).toEqual({ schema: null });
		expect(schemaText(responseFormat(schema))).toBe(JSON.stringify(schema, null, 2));
		const draft = { $schema: 'http://json-schema.org/draft-07/schema#', items: [{}, true] };
		expect(errorOf(draft)).toBeUndefined();
		expect(errorOf({ items: [{}] })).toMatchObject({ path: '/items' });
	});

	test.each([
		['a list', [], { kind: 'not_object' }],
		['a text', 'object', { kind: 'not_object' }],
		['an unknown type', { type: 'strng' }, ['/type', 'type']],
		['a type twice', { type: ['string', 'string'] }, ['/type', 'type']],
		['a name that is no list', { required: 'a' }, ['/required', 'names']],
		['a length below zero', { items: { minLength: -1 } }, ['/items/minLength', 'count']],
		['a step of nothing', { multipleOf: 0 }, ['/multipleOf', 'above_zero']],
		['nothing to choose from', { anyOf: [] }, ['/anyOf', 'schemas']],
		['a choice that is none', { oneOf: [{}, 3] }, ['/oneOf/1', 'schema']],
		['a list of properties', { properties: [] }, ['/properties', 'schema_map']],
		[
			'a property with odd letters',
			{ properties: { 'a/b~c': { type: 1 } } },
			['/properties/a~1b~0c/type', 'type']
		],
		['a definition', { $defs: { d: { items: 3 } } }, ['/$defs/d/items', 'schema']],
		['an open pattern', { pattern: '(' }, ['/pattern', 'pattern']],
		[
			'an open pattern for names',
			{ patternProperties: { '(': {} } },
			['/patternProperties/(', 'pattern']
		],
		['a part that is not there', { $ref: '#/$defs/none' }, ['/$ref', 'reference']],
		['a part of another file', { $ref: 'https://example.org/a' }, ['/$ref', 'reference']],
		['a flag as a word', { uniqueItems: 'yes' }, ['/uniqueItems', 'flag']],
		['names by name', { dependentRequired: { a: 'b' } }, ['/dependentRequired', 'name_map']]
	])('is refused with its place: %s', (_, schema, expected) => {
		expect(errorOf(schema)).toEqual(
			Array.isArray(expected)
				? { kind: 'wrong', path: expected[0], expected: expected[1] }
				: expected
		);
	});

	test.each([
		['a comma too many', '{\n  "type": "object",\n}', 3, 1],
		['an open brace', '{\n  "type": {', 2, 12],
		['a bare word', '{\n"type": object}', 2, 9]
	])('that is not JSON is refused with its line: %s', (_, text, line, column) => {
		expect(readSchema(text).error).toEqual({ kind: 'not_json', line, column });
	});
});
