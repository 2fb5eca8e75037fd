/**
 * Diagrams as pictures: an image runs nothing, loads nothing and leads nowhere, whatever was drawn.
 * One is drawn at a time, and none twice. Does not draw; `diagram_frame.ts` has it done.
 */
import { DiagramFrame, DiagramTimeout, type DiagramReply } from './diagram_frame';

/** Characters of the longest source that is drawn, and of the largest picture that is shown. */
export const LONGEST_SOURCE = 20_000;
const LARGEST_PICTURE = 3_000_000;
/** A source that takes longer is not drawn; in milliseconds. */
const DRAW_MS = 15_000;
const LONGEST_DETAIL = 500;
const KEPT = 50;

export interface Picture {
	readonly url: string;
	/** In CSS pixels. */
	readonly width: number;
	readonly height: number;
	/** As the source calls it, for who does not see it. */
	readonly title: string;
}

/** Why a source is not shown as a picture; `detail` in mermaid's words. */
export interface Refusal {
	readonly reason: 'syntax' | 'too_long' | 'too_slow' | 'too_large' | 'unavailable';
	readonly detail: string;
}

export type Drawing = Picture | Refusal;

const known = new Map<string, Promise<Drawing>>();
let frame: Promise<DiagramFrame> | null = null;
let last: Promise<unknown> = Promise.resolve();

/** Never rejects. What is not there for want of a network is tried again when asked again. */
export function draw(source: string, isDark: boolean): Promise<Drawing> {
	if (source.length > LONGEST_SOURCE) return Promise.resolve(refusal('too_long'));
	const key = `${isDark} ${source}`;
	const before = known.get(key);
	if (before) return before;
	const drawing = last.then(() => drawn(source, isDark));
	last = drawing;
	known.set(key, drawing);
	if (known.size > KEPT) known.delete(known.keys().next().value ?? '');
	void drawing.then((done) => {
		if ('reason' in done && done.reason === 'unavailable') known.delete(key);
	});
	return drawing;
}

async function drawn(source: string, isDark: boolean): Promise<Drawing> {
	frame ??= DiagramFrame.open();
	const open = await frame.catch(() => null);
	if (!open) {
		frame = null;
		return refusal('unavailable');
	}
	try {
		const reply = await open.draw({ source, isDark, longest: LONGEST_SOURCE }, DRAW_MS);
		return asDrawing(reply);
	} catch (error) {
		// It may be drawing still: the next one gets a frame of its own.
		open.close();
		frame = null;
		return refusal(error instanceof DiagramTimeout ? 'too_slow' : 'unavailable');
	}
}

function asDrawing(reply: DiagramReply): Drawing {
	if ('error' in reply) return refusal('syntax', reply.error.trim().slice(0, LONGEST_DETAIL));
	const { svg, width, height, title } = reply;
	if (svg.length > LARGEST_PICTURE) return refusal('too_large');
	return { url: `data:image/svg+xml,${encodeURIComponent(svg)}`, width, height, title };
}

function refusal(reason: Refusal['reason'], detail = ''): Refusal {
	return { reason, detail };
}
