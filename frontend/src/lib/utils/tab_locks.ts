/**
 * Owns doing something in one tab of this browser at a time.
 * Where the browser has no locks (it has them on https and on this machine) every tab goes ahead.
 */

export interface TabLocks {
	/**
	 * Calls `granted` as soon as no other tab has this name, which is now had until the returned
	 * function is called.
	 */
	take(name: string, granted?: () => void): () => void;
}

const PREFIX = 'vllm-chat.';

export function browserLocks(locks: LockManager | undefined = navigator.locks): TabLocks {
	return {
		take(name, granted = () => undefined) {
			const ended = new AbortController();
			if (!locks) {
				granted();
				return () => undefined;
			}
			let release: () => void = () => undefined;
			const released = new Promise<void>((resolve) => (release = resolve));
			const had = locks.request(PREFIX + name, { signal: ended.signal }, () => {
				granted();
				return released;
			});
			// Nobody waits for it any more.
			had.catch(() => undefined);
			return () => {
				ended.abort();
				release();
			};
		}
	};
}
