/** The yardstick: the whole text through marked, DOMPurify, innerHTML and highlight.js, each frame. */
import DOMPurify from 'dompurify';
import hljs from 'highlight.js/lib/core';
import python from 'highlight.js/lib/languages/python';
import { marked } from 'marked';

hljs.registerLanguage('python', python);

export function naive(stage: HTMLElement): (text: string) => void {
	let pending: string | null = null;
	return (text) => {
		if (pending === null)
			requestAnimationFrame(() => {
				stage.innerHTML = DOMPurify.sanitize(marked.parse(pending ?? '', { async: false }));
				for (const code of stage.querySelectorAll<HTMLElement>('pre code'))
					hljs.highlightElement(code);
				pending = null;
			});
		pending = text;
	};
}
