import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

type Handler = (...args: unknown[]) => void;

/** Stands for the one socket: the test says what happens to it. */
class FakeSocket {
	connected = false;
	active = true;
	connects = 0;
	longestMs = NaN;
	tried: (tries: number) => void = () => undefined;
	readonly io = {
		on: (_name: 'reconnect_attempt', tried: (tries: number) => void) => (this.tried = tried),
		reconnectionDelayMax: (ms: number) => (this.longestMs = ms)
	};
	readonly handlers = new Map<string, Handler>();
	on(name: string, handler: Handler) {
		this.handlers.set(name, handler);
		return this;
	}
	connect() {
		this.connects += 1;
		return this;
	}
	disconnect() {
		return this;
	}
	removeAllListeners() {
		this.handlers.clear();
	}
	happens(name: string, ...args: unknown[]) {
		this.connected = name === 'connect';
		this.handlers.get(name)?.(...args);
	}
}

const { made } = vi.hoisted(() => ({ made: [] as { socket: FakeSocket; options: unknown }[] }));
vi.mock('socket.io-client', () => ({
	io: (_url: string, options: unknown) => {
		const socket = new FakeSocket();
		made.push({ socket, options });
		return socket;
	}
}));

import { socketRealtime } from './socket';

let socket: FakeSocket;
let page: EventTarget;
let screen: EventTarget & { visibilityState: string };
let end: () => void;

beforeEach(() => {
	vi.useFakeTimers();
	vi.spyOn(Math, 'random').mockReturnValue(0.5);
	page = new EventTarget();
	screen = Object.assign(new EventTarget(), { visibilityState: 'visible' });
	vi.stubGlobal('document', screen);
	vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
	vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
	const realtime = socketRealtime('http://backend');
	socket = made.at(-1)!.socket;
	end = realtime.connect({
		connected: () => undefined,
		disconnected: () => undefined,
		event: () => undefined
	});
	socket.happens('connect');
	socket.connects = 0;
});
afterEach(() => {
	end();
	vi.useRealTimers();
	vi.restoreAllMocks();
	vi.unstubAllGlobals();
});

describe('connecting again', () => {
	test('the waiting times are spread, and never longer than eight seconds', () => {
		expect(made.at(-1)?.options).toMatchObject({
			reconnectionDelay: 400,
			reconnectionDelayMax: 8_000,
			randomizationFactor: 0.5
		});
	});

	test('who is away for some seconds is looked for about every second, and then less and less often', () => {
		const longestAfter = (tries: number) => {
			socket.tried(tries);
			return socket.longestMs;
		};
		vi.mocked(Math.random).mockReturnValue(0);
		expect([1_200, 1_200]).toEqual([1, 8].map(longestAfter));
		expect([2_400, 4_800, 8_000, 8_000]).toEqual([9, 10, 11, 100].map(longestAfter));
		vi.mocked(Math.random).mockReturnValue(1);
		expect([600, 4_000]).toEqual([1, 100].map(longestAfter));
	});

	test('a server that restarts is back soon: tried within a quarter of a second', () => {
		socket.happens('disconnect', 'transport close', { context: { code: 1012 } });
		expect(socket.connects).toBe(0);

		vi.advanceTimersByTime(124);
		expect(socket.connects).toBe(0);
		vi.advanceTimersByTime(1);
		expect(socket.connects).toBe(1);
	});

	test('another loss is left to the planned turns', () => {
		socket.happens('disconnect', 'transport close', { context: { code: 1006 } });
		vi.advanceTimersByTime(60_000);

		expect(socket.connects).toBe(0);
	});

	test.each([
		['the server closed it', () => socket.happens('disconnect', 'io server disconnect')],
		[
			'the server refused',
			() => {
				socket.active = false;
				socket.happens('connect_error');
			}
		]
	])('%s: it is tried again all the same, some time within eight seconds', (_, happens) => {
		happens();
		vi.advanceTimersByTime(3_999);
		expect(socket.connects).toBe(0);
		vi.advanceTimersByTime(1);

		expect(socket.connects).toBe(1);
	});

	test('at once when the network is back', () => {
		socket.happens('disconnect', 'transport close');
		page.dispatchEvent(new Event('online'));

		expect(socket.connects).toBe(1);
	});

	test('at once when the page is looked at again, and not when it is hidden', () => {
		socket.happens('disconnect', 'transport close');
		screen.visibilityState = 'hidden';
		screen.dispatchEvent(new Event('visibilitychange'));
		expect(socket.connects).toBe(0);

		screen.visibilityState = 'visible';
		screen.dispatchEvent(new Event('visibilitychange'));
		expect(socket.connects).toBe(1);
	});

	test('a connection that stands is left alone', () => {
		page.dispatchEvent(new Event('online'));
		screen.dispatchEvent(new Event('visibilitychange'));

		expect(socket.connects).toBe(0);
	});

	test('nothing is tried after the page has let go', () => {
		socket.happens('disconnect', 'transport close', { context: { code: 1012 } });
		end();
		vi.advanceTimersByTime(60_000);
		page.dispatchEvent(new Event('online'));

		expect(socket.connects).toBe(0);
	});
});
