/**
 * Owns what a command can fail with, whatever carried it.
 * Does not say it in words: `i18n/errors.ts` does.
 */

import type { ErrorCode, FieldError } from './wire';

/** Causes that the page sees by itself: there was no answer, or none it understands. */
export type LocalCode = 'backend_unavailable' | 'offline' | 'unreadable_reply' | 'import_too_large';
export type FailureCode = ErrorCode | LocalCode;

export interface FailureFacts {
	status?: number;
	detail?: string;
	fields?: FieldError[];
	limit?: number | null;
	/** Seconds after which another try makes sense. */
	retryAfterS?: number | null;
}

export class Failure extends Error {
	readonly status: number;
	readonly fields: FieldError[];
	readonly limit: number | null;
	readonly retryAfterS: number | null;

	constructor(
		readonly code: FailureCode,
		facts: FailureFacts = {}
	) {
		super(facts.detail ?? code);
		this.name = 'Failure';
		this.status = facts.status ?? 0;
		this.fields = facts.fields ?? [];
		this.limit = facts.limit ?? null;
		this.retryAfterS = facts.retryAfterS ?? null;
	}

	/** The same request may well succeed once the way to the backend is open again. */
	get isPassing(): boolean {
		return (
			this.code === 'offline' ||
			this.code === 'backend_unavailable' ||
			this.code === 'shutting_down' ||
			this.code === 'storage_busy'
		);
	}
}
