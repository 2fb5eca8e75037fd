/**
 * Owns the form of a chat's settings: its texts, what is wrong with them, and the change they make.
 * Does not save it.
 */

import type { NewChatSettings } from '$lib/stores/commands.svelte';
import type { Params, UpdateChat } from '$lib/types/wire';
import { readNumber, RANGES, type NumberName } from './numbers';
import { readSchema, responseFormat, schemaText } from './schema';

const NAMES = Object.keys(RANGES) as NumberName[];
const MAX_STOPS = 4;
const MAX_STOP_CHARS = 64;

export type Written = Pick<
	ChatForm,
	'prompt' | 'numbers' | 'stop' | 'schema' | 'thinking' | 'context'
>;

export class ChatForm {
	prompt = $state('');
	numbers = $state<Record<NumberName, string>>(noNumbers());
	stop = $state('');
	schema = $state('');
	thinking = $state<'unset' | 'on' | 'off'>('unset');
	context = $state<'refuse' | 'drop_oldest'>('refuse');

	schemaReading = $derived(readSchema(this.schema));
	stops = $derived(this.stop.split('\n').filter((line) => line !== ''));
	areStopsRight = $derived(
		this.stops.length <= MAX_STOPS && this.stops.every((each) => each.length <= MAX_STOP_CHARS)
	);
	isValid = $derived(
		NAMES.every((name) => this.isRight(name)) &&
			this.schemaReading.error === undefined &&
			this.areStopsRight
	);

	#saved = $state('');

	/** @param left what was written into an earlier form and not saved */
	constructor(settings: NewChatSettings, left?: Written) {
		this.fill(settings);
		this.settle();
		Object.assign(this, left);
	}

	/** What is in the boxes. No derived value: it is asked for when the form goes, too. */
	get written(): Written {
		const { prompt, stop, schema, thinking, context } = this;
		return { prompt, numbers: $state.snapshot(this.numbers), stop, schema, thinking, context };
	}

	/** Whether there is anything in the form that has not been saved. */
	get isChanged(): boolean {
		return JSON.stringify(this.written) !== this.#saved;
	}

	/** What is in the form has been saved. */
	settle() {
		this.#saved = JSON.stringify(this.written);
	}

	fill({ system_prompt, temperature, max_tokens, params: given }: NewChatSettings) {
		const params = given ?? {};
		const set: Partial<Record<NumberName, number | null>> = { ...params, temperature, max_tokens };
		this.prompt = system_prompt ?? '';
		for (const name of NAMES) this.numbers[name] = set[name]?.toString() ?? '';
		this.stop = (params.stop ?? []).join('\n');
		this.schema = schemaText(params.response_format);
		this.thinking = choiceOf(params.thinking);
		this.context = params.context ?? 'refuse';
	}

	isRight(name: NumberName): boolean {
		return readNumber(name, this.numbers[name]) !== undefined;
	}

	/** What is set, whole: what is left out goes back to the default. */
	get changes(): UpdateChat {
		const { temperature, max_tokens, ...params } = this.#numbers();
		return {
			system_prompt: this.prompt || null,
			temperature: temperature ?? null,
			max_tokens: max_tokens ?? null,
			params: { ...params, ...this.#choices() }
		};
	}

	#numbers(): Partial<Record<NumberName, number>> {
		const set = NAMES.map((name) => [name, readNumber(name, this.numbers[name])] as const);
		return Object.fromEntries(set.filter(([, value]) => value != null));
	}

	#choices(): Params {
		const schema = this.schemaReading.error ? null : this.schemaReading.schema;
		return {
			...(this.stops.length ? { stop: this.stops } : {}),
			...(schema ? { response_format: responseFormat(schema) as Params['response_format'] } : {}),
			...(this.thinking === 'unset' ? {} : { thinking: this.thinking === 'on' }),
			...(this.context === 'refuse' ? {} : { context: this.context })
		};
	}
}

const noNumbers = () =>
	Object.fromEntries(NAMES.map((name) => [name, ''])) as Record<NumberName, string>;

const choiceOf = (isOn: boolean | null | undefined) =>
	isOn == null ? 'unset' : isOn ? 'on' : 'off';
