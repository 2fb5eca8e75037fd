import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '$lib/types/failure';
import { httpApi, type Api } from './http';

let server: http.Server;
let api: Api;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let seen: { line: string; body: string }[];

beforeEach(async () => {
	seen = [];
	server = http.createServer(async (request, response) => {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		seen.push({
			line: `${request.method} ${request.url}`,
			body: Buffer.concat(chunks).toString()
		});
		answer(request, response);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	api = httpApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
	server.closeAllConnections();
	if (server.listening) await new Promise((done) => server.close(done));
});

const reply = (status: number, body: unknown, headers: Record<string, string> = {}) => {
	answer = (_request, response) => {
		response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
		response.end(typeof body === 'string' ? body : JSON.stringify(body));
	};
};
const failureOf = async (call: Promise<unknown>): Promise<Failure> => {
	const failure = await call.then(
		() => null,
		(error: unknown) => error
	);
	expect(failure).toBeInstanceOf(Failure);
	return failure as Failure;
};

describe('a command', () => {
	test('goes where the contract says, with ids and words escaped', async () => {
		reply(200, {});
		await api.listChats({ limit: 50, cursor: 'a b&c' });
		await api.searchChats({ q: '天气 "x"' });
		await api.updateChat('a/b', { title: '新' });
		await api.startRun('c1', { run_id: 'r1', message: { id: 'm1', content: 'x' }, options: {} });
		await api.stopRun('r1', 7);
		await api.restoreChat('c1');

		expect(seen).toEqual([
			{ line: 'GET /api/chats/?limit=50&cursor=a%20b%26c', body: '' },
			{ line: 'GET /api/chats/search?q=%E5%A4%A9%E6%B0%94%20%22x%22', body: '' },
			{ line: 'PUT /api/chats/a%2Fb', body: '{"title":"新"}' },
			{
				line: 'POST /api/chats/c1/runs',
				body: '{"run_id":"r1","message":{"id":"m1","content":"x"},"options":{}}'
			},
			{ line: 'POST /api/runs/r1/stop', body: '{"seen_seq":7}' },
			{ line: 'POST /api/chats/c1/restore', body: '' }
		]);
	});

	test('answers what came back, and nothing for an empty reply', async () => {
		reply(200, { items: [], next_cursor: null });
		expect(await api.listChats({})).toEqual({ items: [], next_cursor: null });

		answer = (_request, response) => response.writeHead(204).end();
		expect(await api.deleteChat('c1')).toBeUndefined();
	});
});

describe('a failure', () => {
	test('carries the problem of the backend', async () => {
		const problem = {
			type: 'about:blank',
			title: 'Too Many Requests',
			status: 429,
			detail: 'Too many runs.',
			code: 'too_many_runs',
			request_id: 'x',
			limit: 96
		};
		reply(429, problem, { 'Retry-After': '7', 'Content-Type': 'application/problem+json' });

		expect(await failureOf(api.startRun('c1', {}))).toMatchObject({
			code: 'too_many_runs',
			status: 429,
			message: 'Too many runs.',
			retryAfterS: 7,
			limit: 96
		});
	});

	test.each([
		[502, '<html>Bad gateway</html>', 'backend_unavailable'],
		[503, '', 'backend_unavailable'],
		[400, 'nonsense', 'unreadable_reply'],
		[500, '{"detail":"other shape"}', 'unreadable_reply']
	] as const)('%i without a problem in it (%j) is %s', async (status, body, code) => {
		reply(status, body);

		expect((await failureOf(api.models())).code).toBe(code);
	});

	test('an answer that is no JSON is unreadable', async () => {
		reply(200, '<html>');

		expect((await failureOf(api.models())).code).toBe('unreadable_reply');
	});

	test('no answer at all is offline, and worth another try', async () => {
		answer = (request) => request.socket.destroy();

		const failure = await failureOf(api.models());

		expect(failure.code).toBe('offline');
		expect(failure.isPassing).toBe(true);
	});

	test('a search that was taken back is no failure', async () => {
		const taken = new AbortController();
		answer = () => taken.abort();

		await expect(api.searchChats({ q: 'x' }, taken.signal)).rejects.toThrow(/abort/i);
	});
});

describe('health', () => {
	const report = { status: 'degraded', tiers: { vllm: { status: 'loading', detail: '' } } };

	test('is a report also when it comes with 503', async () => {
		reply(503, report);

		expect(await api.health()).toEqual(report);
	});

	test('of a backend that is not there is a failure', async () => {
		reply(503, { code: 'backend_unavailable', detail: 'down', status: 503 });

		expect((await failureOf(api.health())).code).toBe('backend_unavailable');
	});
});
