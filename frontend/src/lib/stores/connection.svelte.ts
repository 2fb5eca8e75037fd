/**
 * Owns whether the page is connected, apart from any run.
 * Does not connect: the socket does, and reports here.
 */

export type ConnectionState = 'online' | 'reconnecting' | 'offline';

/** Shorter losses are not worth a reader's worry. */
export const OFFLINE_AFTER_MS = 5_000;

export class ConnectionStore {
	state = $state<ConnectionState>('reconnecting');
	/** Whether there has been a connection since the page was opened. */
	wasOnline = $state(false);
	#patience: ReturnType<typeof setTimeout> | undefined;

	connected() {
		this.#forget();
		this.state = 'online';
		this.wasOnline = true;
	}

	disconnected() {
		if (this.state === 'online') this.state = 'reconnecting';
		this.#patience ??= setTimeout(() => (this.state = 'offline'), OFFLINE_AFTER_MS);
	}

	dispose() {
		this.#forget();
	}

	#forget() {
		clearTimeout(this.#patience);
		this.#patience = undefined;
	}
}
