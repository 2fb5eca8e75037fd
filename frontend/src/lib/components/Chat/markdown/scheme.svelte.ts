/** Whether the page is dark now, for what cannot take its colours from a style sheet. */
import { createSubscriber } from 'svelte/reactivity';

const DARK = '(prefers-color-scheme: dark)';

const subscribe = createSubscriber((update) => {
	const chosen = new MutationObserver(update);
	chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
	const preferred = matchMedia(DARK);
	preferred.addEventListener('change', update);
	return () => {
		chosen.disconnect();
		preferred.removeEventListener('change', update);
	};
});

/** Read again by whoever is drawn from it when it changes. */
export function isDark(): boolean {
	subscribe();
	const { theme } = document.documentElement.dataset;
	return theme ? theme === 'dark' : matchMedia(DARK).matches;
}
