/**
 * Owns forwarding to the backend: HTTP and WebSocket, unbuffered, with a clear answer while it is down.
 * Does not change what passes, but for `X-Forwarded-For`.
 */

import { randomUUID } from 'node:crypto';
import { ServerResponse } from 'node:http';
import { createProxyServer } from 'http-proxy-3';

const FORWARDED = /^\/(?:api|v1|socket\.io|ws|metrics)(?:[/?]|$)/;
/** A restarting backend is back within about a second. */
const RETRY_AFTER_S = 2;
/** The largest the backend takes, for an import. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** @param {string | undefined} url */
export function isForwarded(url) {
	return FORWARDED.test(url ?? '');
}

/**
 * @param {{ backendHost: string, backendPort: number }} settings
 */
export function forwarder({ backendHost, backendPort }) {
	const proxy = createProxyServer({
		target: { host: backendHost, port: backendPort, protocol: 'http:' },
		ws: true,
		// A long thought may be silent for minutes; the backend has its own limits.
		proxyTimeout: 0,
		timeout: 0
	});

	proxy.on('proxyReq', (outgoing, request) => {
		addForwardedFor(outgoing, request);
		// Told to close, the backend does so with the rest of a refused body unread, and its refusal is lost.
		outgoing.setHeader('Connection', 'keep-alive');
	});
	proxy.on('proxyReqWs', addForwardedFor);
	proxy.on('proxyRes', (incoming, request, response) => {
		incoming.on('end', () => {
			if (request.complete) return;
			request.unpipe();
			request.resume(); // what still comes is thrown away
			incoming.socket.destroy();
		});
		// A stream that broke must not look like one that waits.
		incoming.on('close', () => incoming.complete || response.destroy());
	});
	proxy.on('error', (error, request, target) => {
		if (target instanceof ServerResponse) answerUnavailable(target, error);
		else refuseUpgrade(target);
	});

	return {
		/**
		 * @param {import('node:http').IncomingMessage} request
		 * @param {import('node:http').ServerResponse} response
		 */
		web: (request, response) => {
			if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES)
				answerTooLarge(request, response);
			else proxy.web(request, response);
		},
		/**
		 * @param {import('node:http').IncomingMessage} request
		 * @param {import('node:net').Socket} socket
		 * @param {Buffer} head
		 */
		upgrade: (request, socket, head) => {
			socket.on('error', () => socket.destroy());
			proxy.ws(request, socket, head);
		}
	};
}

/**
 * The backend must see who really asks: to it every request comes from this machine.
 *
 * @param {import('node:http').ClientRequest} outgoing
 * @param {import('node:http').IncomingMessage} request
 */
function addForwardedFor(outgoing, request) {
	const before = request.headers['x-forwarded-for'];
	const peer = request.socket.remoteAddress ?? '';
	outgoing.setHeader('X-Forwarded-For', before ? `${before}, ${peer}` : peer);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {Error & { code?: string }} error
 */
function answerUnavailable(response, error) {
	if (response.headersSent || response.destroyed) {
		// Half an answer must not look like a whole one.
		response.destroy();
		return;
	}
	const refused = error.code === 'ECONNREFUSED';
	const status = refused ? 503 : 502;
	const problem = {
		title: refused ? 'Service Unavailable' : 'Bad Gateway',
		status,
		detail: refused
			? 'The backend is not running, or is still starting.'
			: 'The connection to the backend broke before it answered.',
		code: 'backend_unavailable'
	};
	answerProblem(response, problem, { 'Retry-After': String(RETRY_AFTER_S) });
}

/**
 * After all of it has come: who is refused earlier finds a broken pipe and not the refusal.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
function answerTooLarge(request, response) {
	const detail = `The body must be at most ${MAX_BODY_BYTES} bytes.`;
	const problem = { title: 'Content Too Large', status: 413, detail, code: 'body_too_large' };
	request.on('end', () => answerProblem(response, { ...problem, limit: MAX_BODY_BYTES }));
	request.resume(); // thrown away
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {{ title: string, status: number, detail: string, code: string, limit?: number }} problem
 * @param {Record<string, string>} [headers]
 */
function answerProblem(response, problem, headers = {}) {
	response.writeHead(problem.status, {
		'Content-Type': 'application/problem+json',
		'Cache-Control': 'no-store',
		'X-Content-Type-Options': 'nosniff',
		...headers
	});
	response.end(JSON.stringify({ type: 'about:blank', ...problem, request_id: randomUUID() }));
}

/** @param {import('node:net').Socket | undefined} socket */
function refuseUpgrade(socket) {
	if (!socket || socket.destroyed) return;
	socket.end(
		`HTTP/1.1 503 Service Unavailable\r\nRetry-After: ${RETRY_AFTER_S}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`
	);
}
