/**
 * Owns what was written in a form whose dialog was closed before it was saved: closing loses no text. It is there
 * again when the dialog is opened anew, as long as the page lives.
 */

import type { AppStore } from '$lib/stores/app.svelte';
import type { Preset } from '$lib/types/wire';
import type { Written } from './chat_form.svelte';

/** A preset that is being written: what it was before, null for a new one, and what is in the boxes. */
export interface PresetWriting {
	before: Preset | null;
	name: string;
	prompt: string;
	isWithOptions: boolean;
}

interface LeftForms {
	/** By the id of the chat. */
	settings: Map<string, Written>;
	preset: PresetWriting | null;
}

const left = new WeakMap<AppStore, LeftForms>();

export function leftForms(app: AppStore): LeftForms {
	const forms = left.get(app) ?? { settings: new Map(), preset: null };
	left.set(app, forms);
	return forms;
}

export function writingOf(before: Preset | null): PresetWriting {
	return {
		before,
		name: before?.name ?? '',
		prompt: before?.prompt ?? '',
		isWithOptions: before !== null && Object.keys(before.options).length > 0
	};
}

export function isChanged({ before, ...boxes }: PresetWriting): boolean {
	const { before: _, ...unchanged } = writingOf(before);
	return JSON.stringify(boxes) !== JSON.stringify(unchanged);
}
