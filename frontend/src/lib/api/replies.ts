/**
 * Owns what becomes of a reply: its data, or a `Failure` that says why there is none.
 * Does not ask; `http.ts` does.
 */

import { Failure, type LocalCode } from '$lib/types/failure';
import type { Health, Problem } from '$lib/types/wire';
import { isRecord } from '$lib/utils/storage';

export interface Reply {
	data?: unknown;
	error?: unknown;
	response: Response;
}

/** The contract leaves a message's metadata open, hence the cast to the page's own shapes. */
export async function answer<T>(
	call: Promise<Reply & { data?: unknown }>,
	signal?: AbortSignal
): Promise<T> {
	const reply = await arrived(call, signal);
	if (reply.error === undefined && reply.response.ok) return reply.data as T;
	throw refusal(reply);
}

/** An unwell system answers 503 with its report. */
export async function healthOf(call: Promise<Reply>): Promise<Health> {
	const reply = await arrived(call);
	const body = reply.data ?? reply.error;
	if (isRecord(body) && isRecord(body.tiers)) return body as Health;
	throw refusal(reply);
}

async function arrived(call: Promise<Reply>, signal?: AbortSignal): Promise<Reply> {
	try {
		return await call;
	} catch (error) {
		if (signal?.aborted) throw error;
		throw new Failure(error instanceof SyntaxError ? 'unreadable_reply' : 'offline');
	}
}

function refusal({ error, response }: Reply): Failure {
	const after = Number(response.headers.get('Retry-After') ?? NaN);
	const retryAfterS = Number.isFinite(after) ? after : null;
	if (!isProblem(error)) {
		const code: LocalCode = response.status >= 502 ? 'backend_unavailable' : 'unreadable_reply';
		return new Failure(code, { status: response.status, retryAfterS });
	}
	return new Failure(error.code, {
		status: error.status,
		detail: error.detail,
		fields: error.errors ?? [],
		limit: error.limit ?? null,
		retryAfterS
	});
}

function isProblem(value: unknown): value is Problem {
	return isRecord(value) && typeof value.code === 'string' && typeof value.detail === 'string';
}
