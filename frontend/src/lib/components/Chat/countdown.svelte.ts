/** Owns counting down to a moment. */

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
