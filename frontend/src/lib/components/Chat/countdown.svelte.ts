/** Owns counting the seconds to a moment, or since one. */

const SECOND_MS = 1_000;

/** Whole seconds until `moment` (milliseconds since the epoch), 0 once it is over or when there is none. */
export function secondsUntil(moment: () => number | null): { readonly seconds: number } {
	let seconds = $state(0);

	$effect(() => {
		const end = moment();
		const count = () => {
			seconds = end === null ? 0 : Math.max(0, Math.ceil((end - Date.now()) / SECOND_MS));
			if (seconds === 0) clearInterval(timer);
		};
		const timer = setInterval(count, SECOND_MS);
		count();
		return () => clearInterval(timer);
	});

	return {
		get seconds() {
			return seconds;
		}
	};
}

/** Whole seconds since `moment` (milliseconds since the epoch), 0 where the clocks disagree. */
export function secondsSince(moment: () => number): { readonly seconds: number } {
	let seconds = $state(0);

	$effect(() => {
		const begin = moment();
		const count = () => {
			seconds = Math.max(0, Math.floor((Date.now() - begin) / SECOND_MS));
		};
		const timer = setInterval(count, SECOND_MS);
		count();
		return () => clearInterval(timer);
	});

	return {
		get seconds() {
			return seconds;
		}
	};
}
