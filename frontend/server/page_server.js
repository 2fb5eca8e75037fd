/**
 * Owns the one origin: the backend's paths go to the backend, all others are the page's.
 * Does not listen.
 */

import { createServer } from 'node:http';
import { forwarder, isForwarded } from './forward.js';
import { pages } from './pages.js';

/**
 * @param {import('./settings.js').Settings} settings
 * @param {string} build directory of the built page
 * @returns {import('node:http').Server}
 */
export function pageServer(settings, build) {
	const serve = pages(build);
	const backend = forwarder(settings);

	const server = createServer((request, response) =>
		isForwarded(request.url) ? backend.web(request, response) : serve(request, response)
	);
	server.on('upgrade', (request, socket, head) => {
		if (isForwarded(request.url))
			backend.upgrade(request, /** @type {import('node:net').Socket} */ (socket), head);
		else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
	});
	return server;
}
