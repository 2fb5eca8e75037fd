/** Owns when work that only changes pixels is done: once before the next frame. */

export interface Scheduler {
	/** Calls `action` before the next frame; a second call before that is the same call. */
	soon(action: () => void): void;
	/** Forgets what was planned. */
	cancel(): void;
}

export function frameScheduler(): Scheduler {
	let frame: number | null = null;
	return {
		soon(action) {
			frame ??= requestAnimationFrame(() => {
				frame = null;
				action();
			});
		},
		cancel() {
			if (frame !== null) cancelAnimationFrame(frame);
			frame = null;
		}
	};
}
