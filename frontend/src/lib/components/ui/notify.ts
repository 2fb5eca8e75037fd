/**
 * Owns telling a reader what has no place of its own on the page: toasts.
 * Does not decide what a failure is called: `i18n/errors.ts` does.
 */

import { toast } from 'svelte-sonner';
import { failureText } from '$lib/i18n';
import { Failure } from '$lib/types/failure';

/** Long enough to read the title and find the button. */
const UNDO_MS = 8_000;

/** Runs a command; what it fails with becomes a toast. */
export async function attempt(command: Promise<unknown>): Promise<boolean> {
	try {
		await command;
		return true;
	} catch (error) {
		if (!(error instanceof Failure)) throw error;
		const { cause, next, detail } = failureText(error);
		toast.error(cause, { description: [detail, next].filter(Boolean).join(' ') });
		return false;
	}
}

export function notifyUndo(text: string, label: string, undo: () => void) {
	toast(text, { duration: UNDO_MS, action: { label, onClick: undo } });
}

export function notify(text: string) {
	toast(text);
}
