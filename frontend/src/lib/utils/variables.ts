/** Owns `{{variables}}` in a prompt: which there are, and putting values in their place. */

const VARIABLE = /\{\{\s*([^{}]{1,50}?)\s*\}\}/g;

/** The names, each once, in the order they stand. */
export function variablesOf(prompt: string): string[] {
	return [...new Set([...prompt.matchAll(VARIABLE)].map(([, name = '']) => name))];
}

/** A variable without a value stays as it is written. */
export function withValues(prompt: string, values: Readonly<Record<string, string>>): string {
	return prompt.replace(VARIABLE, (whole, name: string) =>
		Object.hasOwn(values, name) ? (values[name] ?? whole) : whole
	);
}
