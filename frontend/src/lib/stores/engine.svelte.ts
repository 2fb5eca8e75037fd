/**
 * Owns what is known of the engine and its models, asked gently and never waited for.
 * Does not know runs: those wait for the engine on the server.
 */

import type { Api } from '$lib/api/http';
import { Failure } from '$lib/types/failure';
import type { Health, ServedModels, TierHealth } from '$lib/types/wire';

export type EnginePhase =
	| 'unknown'
	| 'ready'
	| 'loading'
	| 'unreachable'
	| 'unauthorized'
	| 'failed'
	| 'down'
	| 'backend_down';

/** Often while something is expected to change, seldom while all is well. */
const WHEN_READY_MS = 30_000;
const WHEN_WAITING_MS = 4_000;

/** What the backend says of an engine; another word counts as `down`, told in the backend's words. */
const TOLD = ['ready', 'loading', 'unreachable', 'unauthorized', 'failed'] as const;

export class EngineStore {
	phase = $state<EnginePhase>('unknown');
	/** The cause and what to do, in the backend's words. */
	detail = $state<string | null>(null);
	fix = $state<string | null>(null);
	/** How far the loading is, 0 to 1, or null where nobody tells. */
	progress = $state<number | null>(null);
	models = $state.raw<ServedModels>({ items: [], default: null });
	#timer: ReturnType<typeof setTimeout> | undefined;
	#isChecking = false;

	constructor(private readonly api: Api) {}

	/** What people ought to know about a model, for null about the default one. */
	noteOn(model: string | null | undefined): string | null {
		return this.#served(model)?.note ?? null;
	}

	/** How many tokens fit into a model, for null into the default one. */
	contextOf(model: string | null | undefined): number | null {
		return this.#served(model)?.max_model_len ?? null;
	}

	/** Checks now and then again, while the page is looked at, until the returned function is called. */
	watch(): () => void {
		const look = () => document.visibilityState === 'visible' && void this.#turn();
		addEventListener('focus', look);
		document.addEventListener('visibilitychange', look);
		void this.#turn();
		return () => {
			removeEventListener('focus', look);
			document.removeEventListener('visibilitychange', look);
			clearTimeout(this.#timer);
		};
	}

	async check(): Promise<void> {
		if (this.#isChecking) return;
		this.#isChecking = true;
		try {
			this.#take(await this.api.health());
			await this.#lookAtProgress();
			if (this.phase === 'ready' || this.models.items.length === 0)
				this.models = await this.api.models();
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			if (error.isPassing) this.#set('backend_down', null);
		} finally {
			this.#isChecking = false;
		}
	}

	async #turn() {
		clearTimeout(this.#timer);
		await this.check();
		clearTimeout(this.#timer);
		const wait = this.phase === 'ready' ? WHEN_READY_MS : WHEN_WAITING_MS;
		this.#timer = setTimeout(() => {
			if (document.visibilityState === 'visible') void this.#turn();
		}, wait);
	}

	async #lookAtProgress() {
		const loading = this.models.items.find(({ status }) => status === 'loading');
		if (this.phase !== 'loading' || !loading) this.progress = null;
		else this.progress = (await this.api.modelState(loading.id)).progress;
	}

	#served(model: string | null | undefined) {
		const { items, default: usual } = this.models;
		return items.find(({ id }) => id === (model ?? usual)) ?? (model ? undefined : items[0]);
	}

	#take(health: Health) {
		this.#set(phaseOf(health.tiers.vllm), health.tiers.vllm ?? null);
	}

	#set(phase: EnginePhase, tier: TierHealth | null) {
		this.phase = phase;
		this.detail = tier?.detail ?? null;
		this.fix = tier?.fix ?? null;
	}
}

function phaseOf(tier: TierHealth | undefined): EnginePhase {
	if (!tier) return 'unknown';
	return TOLD.find((phase) => phase === tier.status) ?? 'down';
}
