/**
 * Owns serving the built page and its assets, with their caching.
 * Does not know the backend.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sirv from 'sirv';
import { diagramHeaders, securityHeaders } from './headers.js';

/** The routes of the page: `/` a new chat, `/c/{chat_id}` a chat. */
const PAGE_ROUTE = /^\/(?:c\/[^/.]+\/?)?$/;
const DIAGRAM = '/diagram.html';
const HASHED = '/_app/immutable/';
const ONE_YEAR = 'public, max-age=31536000, immutable';

/** The build is not there. */
export class BuildMissing extends Error {}

/**
 * @param {string} directory the built page
 * @returns {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void}
 * @throws {BuildMissing}
 */
export function pages(directory) {
	const shell = join(directory, 'index.html');
	if (!existsSync(shell)) throw new BuildMissing(`${shell} is missing. Run: npm run build`);
	const page = readFileSync(shell, 'utf8');
	const headers = Object.entries(securityHeaders(page));
	const frame = join(directory, DIAGRAM);
	const ofDiagrams = existsSync(frame)
		? Object.entries(diagramHeaders(readFileSync(frame, 'utf8')))
		: headers;
	// Not `dev`: the list of files is read once, so a path can only ever name one of them.
	const assets = sirv(directory, {
		brotli: true,
		gzip: true,
		etag: true,
		dotfiles: false,
		extensions: [],
		ignores: false,
		setHeaders: (response, path) =>
			response.setHeader('Cache-Control', path.startsWith(HASHED) ? ONE_YEAR : 'no-cache')
	});

	return (request, response) => {
		const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
		for (const [name, value] of path === DIAGRAM ? ofDiagrams : headers)
			response.setHeader(name, value);
		if (request.method !== 'GET' && request.method !== 'HEAD') {
			response.setHeader('Allow', 'GET, HEAD');
			return refuse(response, 405, 'Method not allowed\n');
		}
		if (PAGE_ROUTE.test(path)) request.url = '/index.html';
		else if (isHidden(path)) return refuse(response, 404, 'Not found\n');
		assets(request, response, () =>
			isVisit(request, path)
				? refuse(response, 404, page, 'text/html')
				: refuse(response, 404, 'Not found\n')
		);
	};
}

/**
 * Source maps and dotfiles stay on the disk, should a build ever leave some.
 *
 * @param {string} path
 */
function isHidden(path) {
	return path.endsWith('.map') || /\/\./.test(path) || /%2e|%2f|%5c|\\/i.test(path);
}

/**
 * Whether somebody came to an address that is no page: the page says so in its own words. A file is not visited.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {string} path
 */
function isVisit(request, path) {
	return Boolean(request.headers.accept?.includes('text/html')) && !/\.\w+$/.test(path);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} body
 */
function refuse(response, status, body, type = 'text/plain') {
	response.writeHead(status, {
		'Content-Type': `${type}; charset=utf-8`,
		'Cache-Control': 'no-cache'
	});
	response.end(response.req.method === 'HEAD' ? undefined : body);
}
