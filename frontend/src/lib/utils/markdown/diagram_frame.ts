/**
 * The frame in which diagrams are drawn: of no origin, without network, storage or a way to the page.
 * It gets mermaid's code and sources, and gives pictures. Does not show them.
 */
import mermaidUrl from 'mermaid/dist/mermaid.min.js?url';

const PAGE = '/diagram.html';
/** Of starting it, once its code is there; in milliseconds. */
const START_MS = 20_000;

export interface DiagramRequest {
	source: string;
	isDark: boolean;
	/** Characters of the longest source that is drawn. */
	longest: number;
}

export type DiagramReply =
	{ svg: string; width: number; height: number; title: string } | { error: string };

/** No answer came in time. */
export class DiagramTimeout extends Error {}

let code: Promise<string> | null = null;

/** Mermaid as text: the page's cache keeps it, and the frame can load nothing itself. */
function mermaid(): Promise<string> {
	code ??= fetch(mermaidUrl).then((response) => {
		if (!response.ok) throw new Error(`${response.status} for ${mermaidUrl}`);
		return response.text();
	});
	code.catch(() => (code = null)); // the network may be back for the next one
	return code;
}

export class DiagramFrame {
	#count = 0;

	private constructor(
		readonly element: HTMLIFrameElement,
		readonly port: MessagePort
	) {}

	static async open(): Promise<DiagramFrame> {
		const source = await mermaid();
		const element = await load();
		const { port1, port2 } = new MessageChannel();
		const frame = new DiagramFrame(element, port1);
		try {
			// What the page can look into could look into the page.
			if (element.contentDocument) throw new Error('The frame for diagrams is not apart.');
			const ready = reply(port1, START_MS, (data) => 'ready' in data);
			element.contentWindow?.postMessage(source, '*', [port2]);
			await ready;
			return frame;
		} catch (error) {
			frame.close();
			throw error;
		}
	}

	/** @throws {DiagramTimeout} */
	async draw(request: DiagramRequest, limitMs: number): Promise<DiagramReply> {
		const id = ++this.#count;
		const drawn = reply(this.port, limitMs, (data) => data.id === id);
		this.port.postMessage({ ...request, id });
		return asReply(await drawn);
	}

	/** Ends it, whatever it is doing. */
	close(): void {
		this.port.close();
		this.element.remove();
	}
}

function load(): Promise<HTMLIFrameElement> {
	const element = document.createElement('iframe');
	element.className = 'diagram-frame';
	element.title = 'Diagrams';
	element.tabIndex = -1;
	element.setAttribute('aria-hidden', 'true');
	element.setAttribute('sandbox', 'allow-scripts');
	element.src = PAGE;
	return new Promise((resolve) => {
		element.addEventListener('load', () => resolve(element), { once: true });
		document.body.append(element);
	});
}

type Data = Record<string, unknown>;

function reply(port: MessagePort, limitMs: number, isIt: (data: Data) => boolean): Promise<Data> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new DiagramTimeout()), limitMs);
		port.onmessage = ({ data }: MessageEvent<unknown>) => {
			if (typeof data !== 'object' || data === null || !isIt(data as Data)) return;
			clearTimeout(timer);
			resolve(data as Data);
		};
	});
}

/** The frame is not trusted with what it says either. */
function asReply({ svg, width, height, title, error }: Data): DiagramReply {
	const isPicture =
		typeof svg === 'string' && typeof width === 'number' && typeof height === 'number';
	if (!isPicture) return { error: typeof error === 'string' ? error : '' };
	return { svg, width, height, title: typeof title === 'string' ? title : '' };
}
