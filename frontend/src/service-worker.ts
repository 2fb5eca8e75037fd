/// <reference types="@sveltejs/kit" />
/// <reference lib="webworker" />
/**
 * Owns the shell of the page, kept so that it opens without a server.
 * Never keeps an answer of the backend: chats are nobody's business once their owner has left.
 */
import { build, files, version } from '$service-worker';

declare const self: ServiceWorkerGlobalScope;

const CACHE = `shell-${version}`;
const PAGE = '/';
/** What belongs to the shell; all else is left to the browser. */
const SHELL = new Set([...build, ...files]);
const ROUTE = /^\/(?:c\/[^/.]+\/?)?$/;

self.addEventListener('install', (event) => {
	event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
	event.waitUntil(dropOthers().then(() => self.clients.claim()));
});

/** What the page had loaded before this worker was there. */
self.addEventListener('message', ({ data }: ExtendableMessageEvent) => {
	if (Array.isArray(data)) for (const path of data) if (SHELL.has(path)) void keep(String(path));
});

self.addEventListener('fetch', (event) => {
	const { request } = event;
	const { origin, pathname } = new URL(request.url);
	if (request.method !== 'GET' || origin !== self.location.origin) return;
	if (request.mode === 'navigate' && ROUTE.test(pathname)) event.respondWith(fresh(request, PAGE));
	else if (build.includes(pathname)) event.respondWith(kept(request, pathname));
	else if (files.includes(pathname)) event.respondWith(fresh(request, pathname));
});

async function keepPage() {
	const cache = await caches.open(CACHE);
	await cache.add(new Request(PAGE, { cache: 'no-cache' }));
}

async function dropOthers() {
	const names = await caches.keys();
	await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

async function keep(path: string) {
	const cache = await caches.open(CACHE);
	if (!(await cache.match(path))) await cache.add(path);
}

/** The network's answer, kept; without a network the one that was kept. */
async function fresh(request: Request, path: string): Promise<Response> {
	const cache = await caches.open(CACHE);
	try {
		const response = await fetch(request);
		if (response.ok) await cache.put(path, response.clone());
		return response;
	} catch (error) {
		const known = await cache.match(path);
		if (known) return known;
		throw error;
	}
}

/** What never changes under its name. */
async function kept(request: Request, path: string): Promise<Response> {
	const cache = await caches.open(CACHE);
	const known = await cache.match(path);
	if (known) return known;
	const response = await fetch(request);
	if (response.ok) await cache.put(path, response.clone());
	return response;
}
