/** Owns the presets of this user: prompts with variables and options, read when they are first looked at. */

import type { Api } from '$lib/api/http';
import { Failure } from '$lib/types/failure';
import type { Preset, PresetDraft } from '$lib/types/wire';

export class PresetsStore {
	items = $state.raw<Preset[]>([]);
	phase = $state<'loading' | 'ready' | 'failed'>('loading');
	failure = $state.raw<Failure | null>(null);

	constructor(private readonly api: Api) {}

	async load(): Promise<void> {
		try {
			this.items = sorted(await this.api.presets());
			this.phase = 'ready';
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			this.failure = error;
			if (this.phase === 'loading') this.phase = 'failed';
		}
	}

	/**
	 * Without an id a new one.
	 *
	 * @throws Failure
	 */
	async save(draft: PresetDraft, id?: string): Promise<void> {
		const saved = await this.api.savePreset(draft, id);
		this.items = sorted([...this.items.filter((other) => other.id !== saved.id), saved]);
	}

	/** @throws Failure */
	async remove(id: string): Promise<void> {
		await this.api.deletePreset(id);
		this.items = this.items.filter((other) => other.id !== id);
	}
}

const sorted = (presets: Preset[]) =>
	presets.toSorted((one, other) => one.name.localeCompare(other.name));
