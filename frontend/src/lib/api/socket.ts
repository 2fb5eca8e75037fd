/**
 * Owns the one Socket.IO connection: connecting again, joining chats, handing events on.
 * Does not know what an event means.
 */

import { io, type Socket } from 'socket.io-client';
import { Failure } from '$lib/types/failure';
import {
	EVENT_TYPES,
	type Joined,
	type JoinReply,
	type JoinRequest,
	type ServerEvent
} from '$lib/types/events';

export interface RealtimeListener {
	connected(): void;
	disconnected(): void;
	event(event: ServerEvent): void;
}

export interface Realtime {
	/** Starts connecting and tells `listener` until the returned function is called. */
	connect(listener: RealtimeListener): () => void;
	/** @throws Failure the server refused, or did not answer in time */
	join(request: JoinRequest): Promise<Joined>;
	leave(chatId: string): void;
	/** Tries at once instead of waiting for the next turn. */
	reconnectNow(): void;
}

const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 8_000;
/** Half of the delay is chance, so that a restarted backend does not meet all its pages at once. */
const JITTER = 0.5;
/** Most losses last seconds: so long the page looks every second or so, and only then less and less often. */
const SOON_DELAY_MS = 1_200;
const SOON_TRIES = 8;
/** A server that goes down in good order says so; it is back soon. */
const SERVICE_RESTART = 1012;
const RESTART_SPREAD_MS = 250;
const ACK_TIMEOUT_MS = 15_000;

/** @param base origin of the backend, empty for the page's own */
export function socketRealtime(base = ''): Realtime {
	const socket = io(base || location.origin, {
		path: '/socket.io',
		transports: ['websocket'],
		autoConnect: false,
		reconnectionDelay: FIRST_DELAY_MS,
		reconnectionDelayMax: LONGEST_DELAY_MS,
		randomizationFactor: JITTER,
		timeout: ACK_TIMEOUT_MS
	});

	socket.io.on('reconnect_attempt', (tries) =>
		socket.io.reconnectionDelayMax(longestDelayMs(tries))
	);

	const reconnectNow = () => {
		if (socket.connected) return;
		// A plain connect() would wait for the turn that is already planned.
		socket.disconnect().connect();
	};

	return {
		connect: (listener) => listen(socket, listener, reconnectNow),
		join: (request) => join(socket, request),
		leave: (chatId) => {
			if (socket.connected) socket.emit('chat.leave', { chat_id: chatId });
		},
		reconnectNow
	};
}

/** The longest wait after so many tries. The library's own chance ends where its delay is cut off, so here is more of it. */
function longestDelayMs(tries: number): number {
	const longest = SOON_DELAY_MS * 2 ** Math.max(0, tries - SOON_TRIES);
	return Math.min(LONGEST_DELAY_MS, longest) * (1 - JITTER * Math.random());
}

function listen(socket: Socket, listener: RealtimeListener, reconnectNow: () => void) {
	const planned = new Set<ReturnType<typeof setTimeout>>();
	const reconnectWithin = (spreadMs: number) => {
		planned.add(setTimeout(reconnectNow, Math.random() * spreadMs));
	};
	const onVisible = () => document.visibilityState === 'visible' && reconnectNow();

	socket.on('connect', () => listener.connected());
	socket.on('disconnect', (reason, details) => {
		listener.disconnected();
		if (closeCode(details) === SERVICE_RESTART) reconnectWithin(RESTART_SPREAD_MS);
		else if (reason === 'io server disconnect') reconnectWithin(LONGEST_DELAY_MS);
	});
	socket.on('connect_error', () => {
		listener.disconnected();
		// The server refused: Socket.IO does not try again by itself then.
		if (!socket.active) reconnectWithin(LONGEST_DELAY_MS);
	});
	for (const type of EVENT_TYPES) socket.on(type, (event: ServerEvent) => listener.event(event));
	addEventListener('online', reconnectNow);
	document.addEventListener('visibilitychange', onVisible);
	socket.connect();

	return () => {
		removeEventListener('online', reconnectNow);
		document.removeEventListener('visibilitychange', onVisible);
		for (const timer of planned) clearTimeout(timer);
		socket.removeAllListeners();
		socket.disconnect();
	};
}

async function join(socket: Socket, request: JoinRequest): Promise<Joined> {
	if (!socket.connected) throw new Failure('offline');
	let reply: JoinReply;
	try {
		reply = (await socket.timeout(ACK_TIMEOUT_MS).emitWithAck('chat.join', request)) as JoinReply;
	} catch {
		throw new Failure('offline');
	}
	if (reply.ok) return reply;
	const { code, status, detail } = reply.error;
	throw new Failure(code, { status, detail });
}

/** The WebSocket's close code, which Socket.IO hands on inside its details. */
function closeCode(details: unknown): number | undefined {
	const context = (details as { context?: { code?: number } } | undefined)?.context;
	return context?.code;
}
