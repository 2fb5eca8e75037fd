/** Owns nothing: the one door to the page's texts. */

export {
	detectLanguage,
	language,
	locale,
	setLanguage,
	t,
	type Language,
	type MessageKey,
	type MessageValues
} from './language.svelte';
export { inOwnWords } from './backend_words';
export { failureText, type FailureText } from './errors';
export {
	formatCount,
	formatDuration,
	formatPlace,
	formatRate,
	formatShare,
	formatShort
} from './numbers';
export { formatMoment, formatTime } from './times';
