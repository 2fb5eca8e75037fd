/**
 * Owns the security headers of the page's own replies.
 * Does not touch replies that come from the backend: they carry their own.
 */

import { createHash } from 'node:crypto';

/** The one style attribute in the page: SvelteKit hides its route announcer with it. */
const ROUTE_ANNOUNCER_STYLE = "'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='";

/**
 * The headers of every reply of the static server.
 *
 * @param {string} page the built page; its inline scripts are allowed by hash, and no others
 * @returns {Record<string, string>}
 */
export function securityHeaders(page) {
	return {
		'Content-Security-Policy': contentSecurityPolicy(inlineScriptHashes(page)),
		'X-Content-Type-Options': 'nosniff',
		'X-Frame-Options': 'DENY',
		'Referrer-Policy': 'no-referrer',
		'Cross-Origin-Opener-Policy': 'same-origin',
		'Cross-Origin-Resource-Policy': 'same-origin',
		'Permissions-Policy':
			'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()'
	};
}

/**
 * The headers of the frame in which diagrams are drawn: it has no origin and reaches nothing, and only the page may
 * hold it.
 *
 * @param {string} frame the frame's document
 * @returns {Record<string, string>}
 */
export function diagramHeaders(frame) {
	return {
		...securityHeaders(frame),
		'X-Frame-Options': 'SAMEORIGIN',
		'Content-Security-Policy': [
			"default-src 'none'",
			['script-src blob:', ...inlineScriptHashes(frame)].join(' '),
			"style-src 'unsafe-inline'",
			"base-uri 'none'",
			"form-action 'none'",
			"frame-ancestors 'self'",
			'sandbox allow-scripts'
		].join('; ')
	};
}

/** @param {string[]} scriptHashes */
function contentSecurityPolicy(scriptHashes) {
	return [
		"default-src 'none'",
		["script-src 'self'", ...scriptHashes].join(' '),
		"style-src 'self'",
		`style-src-attr 'unsafe-hashes' ${ROUTE_ANNOUNCER_STYLE}`,
		"img-src 'self' data: blob:",
		"font-src 'self'",
		"connect-src 'self'",
		"worker-src 'self'",
		"manifest-src 'self'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-src 'self'",
		"frame-ancestors 'none'",
		"object-src 'none'",
		"require-trusted-types-for 'script'",
		'trusted-types dompurify harmless-markup svelte-trusted-html sveltekit-trusted-url'
	].join('; ');
}

/**
 * @param {string} page
 * @returns {string[]} `'sha256-…'` of each inline script
 */
export function inlineScriptHashes(page) {
	const scripts = page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g);
	return [...scripts].map(
		([, code]) =>
			`'sha256-${createHash('sha256')
				.update(code ?? '')
				.digest('base64')}'`
	);
}
