import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inlineScriptHashes } from './headers.js';
import { pageServer } from './page_server.js';
import { SettingError, readSettings } from './settings.js';

const ENTRY = fileURLToPath(new URL('./index.js', import.meta.url));
const DIAGRAM = '<!doctype html><script>draw()</script>';
const PAGE = '<!doctype html><script>boot()</script><script src="/x.js"></script>';

let build: string;
let backend: http.Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let page: http.Server;
let origin: string;

const listen = async (server: http.Server | net.Server) => {
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return (server.address() as AddressInfo).port;
};
const close = async (server: http.Server) => {
	server.closeAllConnections();
	if (server.listening) await new Promise((done) => server.close(done));
};
/** A request whose path is sent as it is: `fetch` would tidy it up. */
const raw = async (path: string, options: http.RequestOptions = {}) => {
	const request = http.request(origin, { path, ...options });
	request.end();
	const [response] = (await once(request, 'response')) as [IncomingMessage];
	const chunks: Buffer[] = [];
	for await (const chunk of response) chunks.push(chunk as Buffer);
	return {
		status: response.statusCode,
		headers: response.headers,
		text: Buffer.concat(chunks).toString()
	};
};

beforeAll(() => {
	build = mkdtempSync(join(tmpdir(), 'page-'));
	mkdirSync(join(build, '_app/immutable'), { recursive: true });
	mkdirSync(join(build, '.secret'));
	writeFileSync(join(build, 'index.html'), PAGE);
	writeFileSync(join(build, 'diagram.html'), DIAGRAM);
	writeFileSync(join(build, '_app/immutable/a.js'), 'a()');
	writeFileSync(join(build, '_app/immutable/a.js.br'), 'brotli');
	writeFileSync(join(build, '_app/immutable/a.js.map'), 'map');
	writeFileSync(join(build, '_app/version.json'), '{}');
	writeFileSync(join(build, '.secret/key'), 'secret');
});
afterAll(() => rmSync(build, { recursive: true }));

beforeEach(async () => {
	answer = (_request, response) => response.end('backend');
	backend = http.createServer((request, response) => answer(request, response));
	const backendPort = await listen(backend);
	page = pageServer({ host: '127.0.0.1', port: 0, backendHost: '127.0.0.1', backendPort }, build);
	origin = `http://127.0.0.1:${await listen(page)}`;
});
afterEach(async () => {
	await close(page);
	await close(backend);
});

describe('a large body', () => {
	const MIB = 1024 * 1024;
	/** By hand: Node's own client stops writing once it has been answered. */
	const send = async (mib: number) => {
		const { port } = page.address() as AddressInfo;
		const socket = net.connect(port, '127.0.0.1');
		let text = '';
		socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
		socket.write(
			`POST /api/import HTTP/1.1\r\nHost: page\r\nConnection: close\r\nContent-Length: ${mib * MIB}\r\n\r\n`
		);
		const piece = Buffer.alloc(MIB, 'x');
		for (let sent = 0; sent < mib; sent++) if (!socket.write(piece)) await once(socket, 'drain');
		await once(socket, 'close');
		return { status: Number(text.split(' ')[1]), text };
	};

	test('comes to the backend whole', async () => {
		answer = (request, response) => {
			let bytes = 0;
			request.on('data', (chunk: Buffer) => (bytes += chunk.length));
			request.on('end', () => response.end(String(bytes)));
		};

		expect(await send(64)).toMatchObject({
			status: 200,
			text: expect.stringContaining(String(64 * MIB)) as string
		});
	}, 20_000);

	test('that is too large is refused in words, however its sender goes about it', async () => {
		let asked = 0;
		answer = (_request, response) => {
			asked += 1;
			response.end();
		};

		const { status, text } = await send(65);

		expect(status).toBe(413);
		expect(text).toContain(`"code":"body_too_large","limit":${64 * MIB}`);
		expect(asked).toBe(0);
	}, 20_000);
});

describe('the page', () => {
	test.each(['/', '/c/0199-id', '/c/0199-id/', '/?q=1'])('%s is the page', async (path) => {
		const reply = await raw(path);

		expect(reply.status).toBe(200);
		expect(reply.text).toBe(PAGE);
		expect(reply.headers['content-type']).toContain('text/html');
		expect(reply.headers['cache-control']).toBe('no-cache');
	});

	test.each([
		'/_app/immutable/gone.js',
		'/missing.png',
		'/c/x.js',
		'/apiary',
		'/_app/immutable/a.js.map',
		'/.secret/key',
		'/%2esecret/key',
		'/../server/index.js',
		'/..%2fserver/index.js',
		'/_app/..%5c..%5cserver/index.js',
		'/%00'
	])('%s is not there', async (path) => {
		const reply = await raw(path);

		expect(reply.status).toBe(404);
		expect(reply.text).toBe('Not found\n');
	});

	test('who comes to an address that is no page is shown the page, which says so', async () => {
		const visit = { headers: { accept: 'text/html,*/*' } };

		const reply = await raw('/no/such/page', visit);
		const file = await raw('/missing.png', visit);

		expect(reply.status).toBe(404);
		expect(reply.text).toBe(PAGE);
		expect(reply.headers['content-security-policy']).toBeDefined();
		expect(file.text).toBe('Not found\n');
	});

	test('assets with a hash in the name are kept for ever, others are asked for again', async () => {
		expect((await raw('/_app/immutable/a.js')).headers['cache-control']).toContain('immutable');
		expect((await raw('/_app/version.json')).headers['cache-control']).toBe('no-cache');
	});

	test('an unchanged page costs no second transfer', async () => {
		const { etag } = (await raw('/')).headers;

		expect((await raw('/', { headers: { 'If-None-Match': etag } })).status).toBe(304);
	});

	test('a precompressed asset is sent to who can read it', async () => {
		const reply = await raw('/_app/immutable/a.js', { headers: { 'Accept-Encoding': 'br' } });

		expect(reply.headers['content-encoding']).toBe('br');
		expect(reply.text).toBe('brotli');
		expect((await raw('/_app/immutable/a.js')).text).toBe('a()');
	});

	test('only the inline scripts of the build may run', async () => {
		const policy = String((await raw('/')).headers['content-security-policy']);

		expect(inlineScriptHashes(PAGE)).toHaveLength(1);
		expect(policy).toContain(`script-src 'self' ${inlineScriptHashes(PAGE)[0]};`);
		expect(policy).not.toContain('unsafe-inline');
		expect(policy).not.toContain('unsafe-eval');
		expect(policy).toContain("frame-ancestors 'none'");
		expect(policy).toContain("default-src 'none'");
	});

	test('the frame for diagrams has no origin, reaches nothing, and is held by the page alone', async () => {
		const { headers } = await raw('/diagram.html?x');
		const policy = String(headers['content-security-policy']).split('; ');

		expect(policy).toContain("default-src 'none'");
		expect(policy).toContain('sandbox allow-scripts');
		expect(policy).toContain("frame-ancestors 'self'");
		expect(policy).toContain(`script-src blob: ${inlineScriptHashes(DIAGRAM)[0]}`);
		expect(policy.filter((part) => /'self'|connect|img|font/.test(part))).toEqual([
			"frame-ancestors 'self'"
		]);
		expect(headers['x-frame-options']).toBe('SAMEORIGIN');
		expect((await raw('/')).headers['x-frame-options']).toBe('DENY');
		expect((await raw('/')).headers['content-security-policy']).toContain("frame-src 'self'");
	});

	test.each(['/%64iagram.html', '/./diagram.html', '//diagram.html'])(
		'under another name that frame may run nothing of its own: %s',
		async (path) => {
			const policy = String((await raw(path)).headers['content-security-policy']);

			expect(policy).not.toContain(String(inlineScriptHashes(DIAGRAM)[0]));
		}
	);

	test('every reply of the page says how it may be used, refusals too', async () => {
		for (const path of ['/', '/missing.png', '/_app/immutable/a.js']) {
			const { headers } = await raw(path);
			expect(headers['x-content-type-options']).toBe('nosniff');
			expect(headers['referrer-policy']).toBe('no-referrer');
			expect(headers['cross-origin-opener-policy']).toBe('same-origin');
			expect(headers['content-security-policy']).toBeTruthy();
		}
	});

	test('only reading is allowed', async () => {
		const reply = await raw('/', { method: 'POST' });

		expect(reply.status).toBe(405);
		expect(reply.headers.allow).toBe('GET, HEAD');
	});
});

describe('forwarding', () => {
	test.each(['/api/chats/', '/v1/models', '/socket.io/?EIO=4', '/ws/chat', '/metrics', '/api?x'])(
		'%s goes to the backend as it is',
		async (path) => {
			let seen = '';
			answer = (request, response) => {
				seen = `${request.method} ${request.url} ${request.headers.host}`;
				response.end();
			};

			await raw(path);

			expect(seen).toBe(`GET ${path} ${new URL(origin).host}`);
		}
	);

	test('a body and its reply pass unchanged', async () => {
		answer = (request, response) => {
			response.writeHead(201, { 'X-Own': 'yes' });
			request.pipe(response);
		};

		const reply = await fetch(`${origin}/api/chats/`, { method: 'POST', body: '你好 🫠' });

		expect(reply.status).toBe(201);
		expect(reply.headers.get('x-own')).toBe('yes');
		expect(await reply.text()).toBe('你好 🫠');
	});

	test('the backend sees who asks, and cannot be told another address', async () => {
		let seen: unknown;
		answer = (request, response) => {
			seen = request.headers['x-forwarded-for'];
			response.end();
		};

		await raw('/api/x', { headers: { 'X-Forwarded-For': '10.9.8.7' } });

		expect(seen).toBe('10.9.8.7, 127.0.0.1');
	});

	test('each piece of a stream arrives before the next is written', async () => {
		let stream: ServerResponse | undefined;
		answer = (_request, response) => {
			stream = response;
			response.writeHead(200, { 'Content-Type': 'text/event-stream' });
			response.write('data: 1\n\n');
		};

		const reader = (await fetch(`${origin}/api/runs/x/events`)).body?.getReader();
		const decoder = new TextDecoder();
		expect(decoder.decode((await reader?.read())?.value)).toBe('data: 1\n\n');
		stream?.write('data: 2\n\n');
		expect(decoder.decode((await reader?.read())?.value)).toBe('data: 2\n\n');
		stream?.end();
		expect((await reader?.read())?.done).toBe(true);
	});

	test('a reader who leaves ends the request behind', async () => {
		const left = new Promise<void>((resolve) => {
			answer = (_request, response) => {
				response.on('close', resolve);
				response.write('first');
			};
		});
		const leave = new AbortController();
		const reply = await fetch(`${origin}/api/stream`, { signal: leave.signal });
		await reply.body?.getReader().read();

		leave.abort();

		await left;
	});

	test('a reply that breaks in the middle breaks for the reader too', async () => {
		answer = (_request, response) => {
			response.writeHead(200, { 'Content-Length': '100' });
			response.write('half', () => response.destroy());
		};

		await expect(raw('/api/x')).rejects.toThrow(/aborted|reset/i);
	});

	test('while the backend is down the reply is a problem that says so', async () => {
		await close(backend);

		const reply = await raw('/api/chats/');

		expect(reply.status).toBe(503);
		expect(reply.headers['content-type']).toBe('application/problem+json');
		expect(reply.headers['retry-after']).toBe('2');
		expect(JSON.parse(reply.text)).toMatchObject({ status: 503, code: 'backend_unavailable' });
	});

	test('a backend that hangs up without an answer is a bad gateway', async () => {
		answer = (request) => request.socket.destroy();

		expect((await raw('/api/chats/')).status).toBe(502);
	});

	const upgrade = async (path: string) => {
		const socket = net.connect(Number(new URL(origin).port), '127.0.0.1');
		socket.write(
			`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
		);
		const [reply] = (await once(socket, 'data')) as [Buffer];
		return { socket, reply: reply.toString() };
	};

	test('a WebSocket passes both ways and ends on both sides', async () => {
		const ended = new Promise<void>((resolve) => {
			backend.on('upgrade', (_request, socket) => {
				socket.write(
					'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
				);
				socket.on('data', (data: Buffer) => socket.write(`echo ${data.toString()}`));
				socket.on('end', () => socket.end());
				socket.on('close', () => resolve());
			});
		});

		const { socket, reply } = await upgrade('/socket.io/?EIO=4&transport=websocket');
		expect(reply).toMatch(/^HTTP\/1.1 101/);
		socket.write('hello');
		const [echo] = (await once(socket, 'data')) as [Buffer];
		expect(echo.toString()).toBe('echo hello');

		socket.destroy();
		await ended;
	});

	test('a WebSocket is refused at once while the backend is down, and elsewhere', async () => {
		await close(backend);

		expect((await upgrade('/socket.io/')).reply).toMatch(/^HTTP\/1.1 503/);
		expect((await upgrade('/c/x')).reply).toMatch(/^HTTP\/1.1 404/);
	});
});

describe('the process', () => {
	const run = (env: Record<string, string>, directory = build) => {
		const child = spawn(process.execPath, [ENTRY, directory], {
			env: { PATH: process.env.PATH, FRONTEND_PORT: '0', ...env }
		});
		let output = '';
		child.stdout.on('data', (data: Buffer) => (output += data.toString()));
		child.stderr.on('data', (data: Buffer) => (output += data.toString()));
		return { child, output: () => output };
	};

	test('it says where it is and ends at once on SIGTERM, open connections or not', async () => {
		const { child, output } = run({});
		await once(child.stdout, 'data');
		const port = Number(/VLLM Chat: http:\/\/127\.0\.0\.1:(\d+)\n/.exec(output())?.[1]);
		const idle = net.connect(port, '127.0.0.1');
		await once(idle, 'connect');
		idle.on('error', () => undefined);

		child.kill('SIGTERM');

		expect(await once(child, 'exit')).toEqual([0, null]);
	});

	test('a port in use is one clear line and exit code 1', async () => {
		const taken = net.createServer();
		const port = await listen(taken);

		const { child, output } = run({ FRONTEND_PORT: String(port) });

		expect(await once(child, 'exit')).toEqual([1, null]);
		expect(output()).toMatch(new RegExp(`^Port ${port} on 127.0.0.1 is in use\\..*\n$`));
		taken.close();
	});

	test('a missing build is one clear line and exit code 1', async () => {
		const { child, output } = run({}, join(build, 'nowhere'));

		expect(await once(child, 'exit')).toEqual([1, null]);
		expect(output()).toMatch(/^.*index\.html is missing\. Run: npm run build\n$/);
	});

	test('a wrong setting is one clear line and the exit code that says not to try again', async () => {
		const { child, output } = run({ FRONTEND_HOST: '0.0.0.0' });

		expect(await once(child, 'exit')).toEqual([78, null]);
		expect(output()).toMatch(/^FRONTEND_HOST 0\.0\.0\.0 is not a loopback address.*\n$/);
	});

	test('settings have defaults on the loopback address, and bad ones are named', () => {
		expect(readSettings({})).toEqual({
			host: '127.0.0.1',
			port: 3000,
			backendHost: '127.0.0.1',
			backendPort: 8080
		});
		expect(readSettings({ BACKEND_HOST: '0.0.0.0' }).backendHost).toBe('127.0.0.1');
		for (const bad of ['x', '70000', '-1', '1.5'])
			expect(() => readSettings({ FRONTEND_PORT: bad })).toThrow(SettingError);
	});

	test('without login only this machine is let in, unless a proxy in front publishes no more', () => {
		for (const own of ['127.0.0.1', '::1', 'localhost', ''])
			expect(() => readSettings({ FRONTEND_HOST: own, AUTH_MODE: 'none' })).not.toThrow();
		for (const open of ['0.0.0.0', '::', '192.168.1.7', 'chat.lan'])
			expect(() => readSettings({ FRONTEND_HOST: open })).toThrow(/FRONTEND_HOST.*everybody/);
		const behind = { FRONTEND_HOST: '0.0.0.0', ALLOW_OPEN_WITHOUT_LOGIN: 'true' };
		expect(readSettings(behind).host).toBe('0.0.0.0');
	});
});
