/**
 * Inline Markdown to HTML by marked, with a count of the characters handed to it.
 * Its HTML is not safe yet: only `sanitize` makes it so. Knows nothing of blocks.
 */
import { Lexer, Marked, Parser, type Tokens, type TokensList } from 'marked';
import type { Definition } from './definitions';
import { inlineMath } from './math';
import { noteReferences } from './notes';

/** Without any of these, text is just text and need not be lexed. */
const MARKUP = /[\\`*_~[\]<>&@$]| {2}\n|:\/\/|www\.|mailto:|xmpp:/i;

const ENTITIES: Record<string, string> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;'
};

export function escapeHtml(text: string): string {
	return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}

export function hasMarkup(text: string): boolean {
	return MARKUP.test(text);
}

export class InlineRenderer {
	/** Characters handed to marked so far. */
	characters = 0;
	readonly #lexer: Lexer;
	readonly #parser: Parser;
	#insideLink = false;

	constructor(links: Record<string, Definition>, notes: Record<string, number>) {
		const marked = new Marked({ gfm: true, breaks: false });
		marked.use(inlineMath, noteReferences(notes));
		marked.use({
			renderer: {
				link: this.#link.bind(this),
				image: this.#image.bind(this)
			}
		});
		this.#lexer = new Lexer(marked.defaults);
		this.#lexer.tokens.links = links as TokensList['links'];
		this.#parser = new Parser(marked.defaults);
	}

	/** Renders a stretch of inline Markdown; on input marked cannot take, the text as it is. */
	render(source: string): string {
		if (!hasMarkup(source)) return escapeHtml(source);
		this.characters += source.length;
		Object.assign(this.#lexer.state, { inLink: false, inRawBlock: false, linkEmitted: false });
		try {
			return this.#parser.parseInline(this.#lexer.inlineTokens(source));
		} catch {
			return escapeHtml(source);
		}
	}

	#link({ href, title, tokens }: Tokens.Link): string {
		const outer = this.#insideLink;
		this.#insideLink = true;
		const label = this.#parser.parseInline(tokens);
		this.#insideLink = outer;
		if (outer) return label;
		return anchor(href, title, label);
	}

	/** An image is a link to it that says its host: nothing foreign is loaded by reading an answer. */
	#image({ href, title, text }: Tokens.Image): string {
		const host = text ? hostOf(href) : '';
		const label = '🖼 ' + escapeHtml(text || href) + (host && ` (${escapeHtml(host)})`);
		return this.#insideLink ? label : anchor(href, title, label);
	}
}

function anchor(href: string, title: string | null | undefined, label: string): string {
	const titled = title ? ` title="${escapeHtml(title)}"` : '';
	return `<a href="${escapeHtml(cleanUrl(href))}"${titled}>${label}</a>`;
}

function hostOf(href: string): string {
	try {
		return new URL(href).host;
	} catch {
		return ''; // relative, so no host
	}
}

function cleanUrl(href: string): string {
	try {
		return encodeURI(href).replace(/%25/g, '%');
	} catch {
		return ''; // a lone surrogate
	}
}
