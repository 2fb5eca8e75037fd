/** Owns estimating how many tokens a text is, where the engine has not said yet. */

/** Latin letters share a token among about four; a Chinese, Japanese or Korean character has most of one. */
const CHARACTERS_PER_TOKEN = 4;
const TOKENS_PER_IDEOGRAPH = 0.7;
const IDEOGRAPH = /[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]/g;

/** An estimate, to be shown as one. */
export function aboutTokens(text: string): number {
	const ideographs = text.match(IDEOGRAPH)?.length ?? 0;
	return Math.round(
		ideographs * TOKENS_PER_IDEOGRAPH + (text.length - ideographs) / CHARACTERS_PER_TOKEN
	);
}
