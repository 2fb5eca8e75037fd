/**
 * Owns moving whole chats out of the server and into it: the addresses of exports, and sending a file.
 * Does not read the file: the server knows the formats.
 */

import { Failure } from '$lib/types/failure';
import type { Imported } from '$lib/types/wire';
import { answer } from './replies';

export const EXPORT_FORMATS = ['json', 'markdown', 'html'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** The server's limit for one file. */
const MAX_FILE_MIB = 64;

const BASE = import.meta.env.VITE_API_BASE_URL ?? '';

/** Where one chat can be downloaded; the model's thinking is in it on request only. */
export function chatExport(chatId: string, format: ExportFormat, reasoning: boolean): string {
	return `${BASE}/api/chats/${encodeURIComponent(chatId)}/export?${new URLSearchParams({ format, reasoning: String(reasoning) })}`;
}

/** Where all chats can be downloaded as one JSON file. */
export function fullExport(reasoning: boolean): string {
	return `${BASE}/api/export?${new URLSearchParams({ reasoning: String(reasoning) })}`;
}

/**
 * Imports a file, all of it or nothing; the same file twice changes nothing.
 *
 * @param onsent told the share of the file that has been sent, from 0 to 1
 * @throws Failure
 */
export async function importFile(file: Blob, onsent: (share: number) => void): Promise<Imported> {
	if (file.size > MAX_FILE_MIB * 1024 * 1024) throw tooLarge();
	try {
		return await send(file, onsent);
	} catch (error) {
		// A server on the way may have a limit of its own.
		throw error instanceof Failure && error.status === 413 ? tooLarge() : error;
	}
}

const tooLarge = () => new Failure('import_too_large', { limit: MAX_FILE_MIB });

function send(file: Blob, onsent: (share: number) => void): Promise<Imported> {
	return answer<Imported>(
		new Promise((resolve, reject) => {
			// `fetch` does not tell how much has been sent.
			const request = new XMLHttpRequest();
			request.open('POST', `${BASE}/api/import`);
			request.setRequestHeader('Content-Type', 'application/json');
			request.upload.onprogress = ({ loaded, total }) => onsent(total ? loaded / total : 0);
			request.upload.onload = () => onsent(1);
			request.onerror = () => reject(new Failure('offline'));
			request.onload = () => {
				const { status, responseText } = request;
				const headers = { 'Retry-After': request.getResponseHeader('Retry-After') ?? '' };
				const response = new Response(null, { status, headers });
				const body = parsed(responseText);
				resolve(response.ok ? { data: body, response } : { error: body ?? null, response });
			};
			request.send(file);
		})
	);
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}
