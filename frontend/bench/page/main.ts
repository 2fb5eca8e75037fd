/** Streams a text at a steady rate into a renderer and writes down what the reader waits for. */
import { flushSync, mount } from 'svelte';
import '../../src/app.css';
import { Follow } from '$lib/components/Chat/follow.svelte';
import { naive } from './naive';
import { plain } from './plain';
import Stage from './Stage.svelte';

const CHARACTERS_PER_TOKEN = 4;
const READ_MS = 8; // how often a socket brings something
const FRAME_MS = 1000 / 60;
const WARM_UP_MS = 1000;

/** How the text is shown: by the page's own component, by a full render a frame, or as nothing but text. */
export type Kind = 'ours' | 'naive' | 'plain';

export interface Figures {
	tokens: number;
	/** Tasks over 50 ms after warm-up: how many, and the longest in ms. */
	longTasks: number;
	longest: number;
	frames: number;
	dropped: number;
	/** Delta to paint, in ms. */
	p50: number;
	p95: number;
	p99: number;
}

declare global {
	interface Window {
		run: (text: string, rate: number, how: Kind, isStepped: boolean) => Promise<Figures>;
		/** Told as each tenth of the text has been given. */
		tenth: (index: number) => Promise<void>;
	}
}

window.run = async (text, rate, how, isStepped) => {
	const stage = document.createElement('div');
	document.getElementById('stage')?.replaceChildren(stage);
	const show = how === 'ours' ? real(stage) : other(stage, how === 'naive' ? naive : plain);
	const watch = new Watch(stage);
	await (isStepped ? step : give)(text, rate, (prefix, more) => {
		watch.given();
		show.feed(prefix, more);
	});
	await watch.quiet();
	// Taking it away again is no part of showing it: the page is closed after this.
	return watch.figures(text.length / CHARACTERS_PER_TOKEN);
};

function real(stage: HTMLElement) {
	const component = mount(Stage, { target: stage });
	return { feed: (text: string, more: boolean) => flushSync(() => component.feed(text, more)) };
}

function other(stage: HTMLElement, renderer: (box: HTMLElement) => (text: string) => void) {
	const region = document.createElement('div');
	region.className = 'h-dvh overflow-x-hidden overflow-y-auto overscroll-contain';
	const column = region.appendChild(document.createElement('div'));
	column.className = 'reading-column pt-4 pb-6';
	stage.append(region);
	new Follow().region(region);
	return { feed: renderer(column) };
}

/** Gives the text by the clock: late reads bring more at once, as a socket does. */
async function give(text: string, rate: number, feed: (prefix: string, more: boolean) => void) {
	const start = performance.now();
	let given = 0;
	let tenths = 0;
	while (given < text.length) {
		await new Promise((resolve) => setTimeout(resolve, READ_MS));
		const due = Math.floor(((performance.now() - start) / 1000) * rate) * CHARACTERS_PER_TOKEN;
		if (due <= given) continue;
		given = Math.min(due, text.length);
		feed(text.slice(0, given), given < text.length);
		for (; tenths < Math.floor((given / text.length) * 10); tenths++) void window.tenth(tenths);
	}
}

/** Gives each frame what one frame brings at that rate, however long frames take: for a machine that is busy. */
async function step(text: string, rate: number, feed: (prefix: string, more: boolean) => void) {
	const piece = Math.round((rate * CHARACTERS_PER_TOKEN * FRAME_MS) / 1000);
	let tenths = 0;
	for (let given = piece; given < text.length + piece; given += piece) {
		feed(text.slice(0, given), given < text.length);
		await new Promise((resolve) => requestAnimationFrame(resolve));
		for (; tenths < Math.floor((given / text.length) * 10); tenths++) void window.tenth(tenths);
	}
}

class Watch {
	readonly #start = performance.now();
	readonly #waiting: number[] = [];
	readonly #latencies: number[] = [];
	readonly #tasks: number[] = [];
	readonly #longTasks = new PerformanceObserver((list) => {
		for (const { duration, startTime } of list.getEntries())
			if (startTime - this.#start > WARM_UP_MS) this.#tasks.push(duration);
	});
	readonly #changes: MutationObserver;
	#frames = 0;
	#dropped = 0;
	#last = 0;
	#running = true;

	constructor(stage: HTMLElement) {
		this.#longTasks.observe({ type: 'longtask' });
		this.#changes = new MutationObserver(() => this.#changed());
		this.#changes.observe(stage, { childList: true, characterData: true, subtree: true });
		requestAnimationFrame((now) => this.#frame(now));
		setTimeout(() => performance.mark('warm'), WARM_UP_MS); // for the browser's own trace
	}

	given() {
		this.#waiting.push(performance.now());
	}

	/** What was given by now is in the DOM; it is painted when the frame is over. */
	#changed() {
		const shown = this.#waiting.splice(0);
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			const now = performance.now();
			for (const given of shown) this.#latencies.push(now - given);
		};
		port2.postMessage(null);
	}

	#frame(now: number) {
		if (this.#last && now - this.#start > WARM_UP_MS) {
			this.#frames++;
			this.#dropped += Math.max(0, Math.round((now - this.#last) / FRAME_MS) - 1);
		}
		this.#last = now;
		if (this.#running) requestAnimationFrame((next) => this.#frame(next));
	}

	/** Until half a second has brought no change. */
	async quiet() {
		for (let seen = -1; seen !== this.#latencies.length;) {
			seen = this.#latencies.length;
			await new Promise((resolve) => setTimeout(resolve, 500));
		}
		this.#running = false;
		this.#changes.disconnect();
		this.#longTasks.disconnect();
	}

	figures(tokens: number): Figures {
		const sorted = this.#latencies.toSorted((a, b) => a - b);
		const at = (share: number) =>
			sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
		return {
			tokens,
			longTasks: this.#tasks.length,
			longest: Math.max(0, ...this.#tasks),
			frames: this.#frames + this.#dropped,
			dropped: this.#dropped,
			p50: at(0.5),
			p95: at(0.95),
			p99: at(0.99)
		};
	}
}
