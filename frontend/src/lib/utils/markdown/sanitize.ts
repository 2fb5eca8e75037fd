/**
 * The last step before the DOM: foreign HTML becomes safe HTML, by DOMPurify, unless there is nothing in it that
 * DOMPurify could take away. Nothing changes what comes out of here: whoever wants a `SafeHtml` has to ask for it here.
 */
import createPurifier, { type Config, type DOMPurify } from 'dompurify';
import type { TrustedHTML, TrustedTypePolicyFactory } from 'trusted-types/lib';

declare const sanitized: unique symbol;
/**
 * HTML that went through the sanitiser; the one kind the page inserts as HTML. A `TrustedHTML` where the browser
 * has them: the page's policy takes no string.
 */
export type SafeHtml = (string | TrustedHTML) & { readonly [sanitized]: true };

/**
 * No forms, frames, media or styles; no class, id or name, by which an answer could dress up as a
 * part of the page; links to the web and to mail alone.
 */
const CONFIG: Config = Object.freeze({
	USE_PROFILES: { html: true },
	FORBID_TAGS: [
		...['style', 'form', 'input', 'button', 'select', 'textarea', 'option', 'iframe', 'video'],
		...['audio', 'source', 'track', 'picture', 'img', 'dialog', 'template', 'svg', 'math'],
		...['noscript', 'marquee', 'map', 'area', 'label', 'fieldset', 'datalist', 'output', 'meter']
	],
	FORBID_ATTR: [
		...['style', 'id', 'name', 'class', 'srcset', 'ping', 'action', 'formaction', 'background'],
		...['poster', 'autofocus', 'popovertarget', 'src', 'usemap', 'tabindex', 'accesskey', 'hidden'],
		...['target', 'rel', 'role', 'slot', 'download', 'contenteditable', 'draggable']
	],
	ALLOW_DATA_ATTR: false,
	ALLOW_ARIA_ATTR: false,
	ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|#)/i,
	SANITIZE_NAMED_PROPS: true,
	RETURN_TRUSTED_TYPE: true
});

/** All that is left of attributes; whatever HTML comes to know later is not among them. */
const ATTRIBUTES = new Set(
	'href title align start reversed value colspan rowspan open dir lang cite datetime'.split(' ')
);

/** What highlight.js makes: spans with its own classes. */
const CODE_CONFIG: Config = Object.freeze({
	ALLOWED_TAGS: ['span'],
	ALLOWED_ATTR: ['class'],
	RETURN_TRUSTED_TYPE: true
});
const CODE_CLASS = /^(?:hljs-[\w-]+|language-[\w-]+|[a-z]+_+)(?: [a-z]+_+)*$/;

/** A text that is itself an address: then it must not name another host than the link's. */
const LOOKS_LIKE_ADDRESS =
	/^(?:[a-z][a-z\d+.-]*:\/\/|www\.)?(?:[^\s/@]*@)?((?:[\p{L}\p{N}-]+\.)+\p{L}{2,})(?:[/:?#]\S*)?$/iu;

/**
 * HTML of which there is nothing to take away: text, and tags without attributes that only set type, or the spans of
 * highlight.js. To parse it, walk it and write it again costs a page that streams more than anything else it does.
 */
const HARMLESS = letThrough('</?(?:strong|em|code|del)>|<br>');
const HARMLESS_CODE = letThrough(
	'</span>|<span class="(?:hljs|language)-[A-Za-z0-9_-]+(?: [a-z]+_+)*">'
);

function letThrough(tags: string): RegExp {
	return new RegExp(`^[^<&]*(?:(?:${tags}|&(?:amp|lt|gt|quot|#39|#x27);)[^<&]*)*$`);
}

let purifier: DOMPurify | null = null;
let vouch: ((html: string) => string | TrustedHTML) | null = null;

export function sanitize(html: string): SafeHtml {
	return HARMLESS.test(html) ? harmless(html) : trusted(only().sanitize(html, CONFIG));
}

export function sanitizeCode(html: string): SafeHtml {
	return HARMLESS_CODE.test(html) ? harmless(html) : trusted(only().sanitize(html, CODE_CONFIG));
}

function harmless(html: string): SafeHtml {
	vouch ??= voucher();
	return trusted(vouch(html));
}

/** The page's policy takes no string, so this one says which ones are harmless, and takes no others. */
function voucher(): (html: string) => string | TrustedHTML {
	const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypePolicyFactory };
	const policy = trustedTypes?.createPolicy('harmless-markup', {
		createHTML: (html: string) => {
			if (HARMLESS.test(html) || HARMLESS_CODE.test(html)) return html;
			throw new TypeError('Not harmless: ask the sanitiser.');
		}
	});
	return (html) => policy?.createHTML(html) ?? html;
}

/** Nothing stays the empty string, which Svelte looks for. */
function trusted(html: string | TrustedHTML): SafeHtml {
	return (String(html) && html) as SafeHtml;
}

/** One for both: the page's policy lets the Trusted Types policy `dompurify` be made once, not twice. */
function only(): DOMPurify {
	return (purifier ??= create());
}

function create(): DOMPurify {
	const made = createPurifier(window);
	if (!made.isSupported) throw new Error('This browser cannot show formatted text safely.');
	made.addHook('afterSanitizeAttributes', (node) => {
		if (node.nodeName === 'A' && node instanceof HTMLElement) guardLink(node);
	});
	// Classes are for code alone: CONFIG forbids them whatever this says.
	made.addHook('uponSanitizeAttribute', (_node, attribute) => {
		attribute.keepAttr =
			attribute.attrName === 'class'
				? CODE_CLASS.test(attribute.attrValue)
				: ATTRIBUTES.has(attribute.attrName);
	});
	return made;
}

/** A link opens apart from the page and tells it nothing; its real host is said where it hides. */
function guardLink(link: HTMLElement): void {
	const url = parse(link.getAttribute('href'));
	if (!url || url.protocol === 'mailto:') return;
	link.setAttribute('target', '_blank');
	link.setAttribute('rel', 'noopener noreferrer nofollow');
	const host = hiddenHost(url, link.textContent?.trim() ?? '');
	if (!host) return;
	const note = link.ownerDocument.createElement('small');
	note.textContent = ` (${host})`;
	link.append(note);
}

function parse(href: string | null): URL | null {
	try {
		return new URL(href ?? '');
	} catch {
		return null;
	}
}

function hiddenHost(url: URL, label: string): string | null {
	const claimed = LOOKS_LIKE_ADDRESS.exec(label)?.[1];
	const hides = Boolean(url.username || url.password) || /(?:^|\.)xn--/.test(url.hostname);
	const differs = claimed !== undefined && bare(claimed) !== bare(url.hostname);
	return hides || differs ? url.host : null;
}

function bare(host: string): string {
	return host.toLowerCase().replace(/^www\./, '');
}
