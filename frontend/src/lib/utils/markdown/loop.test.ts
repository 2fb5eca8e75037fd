import { expect, test } from 'vitest';
import { RenderLoop, type Frames, type Rendering } from './loop';

/** Frames that come when they are told to, and time that passes when it is told to. */
class StoppedClock implements Frames {
	time = 0;
	waiting: (() => void) | null = null;
	after: (() => void) | null = null;
	requested = 0;
	frames = 0;

	request(callback: () => void): number {
		if (this.waiting) throw new Error('two frames requested at once');
		this.waiting = callback;
		return ++this.requested;
	}

	cancel(): void {
		this.waiting = null;
	}

	soon(callback: () => void): void {
		if (this.after) throw new Error('asked for twice');
		this.after = callback;
	}

	current(): number {
		return this.frames;
	}

	now(): number {
		return this.time;
	}

	/** The end of what is being done now; false if nothing waits for it. */
	end(): boolean {
		const callback = this.after;
		this.after = null;
		callback?.();
		return callback !== null;
	}

	/** One frame, `ms` later; false if nothing waits for it. */
	frame(ms = 16): boolean {
		this.time += ms;
		this.frames++;
		const callback = this.waiting;
		this.waiting = null;
		callback?.();
		return this.end() || callback !== null;
	}
}

function setUp(cost = 0) {
	const clock = new StoppedClock();
	const published: Rendering[] = [];
	const loop = new RenderLoop((rendering) => {
		published.push(rendering);
		clock.time += cost;
	}, clock);
	return { clock, loop, published };
}

test('the first text is rendered at once, what follows once a frame', () => {
	const { clock, loop, published } = setUp();

	loop.feed('a', true);
	expect(published).toHaveLength(1);
	for (let length = 2; length < 50; length++) loop.feed('a'.repeat(length), true);
	expect(published).toHaveLength(1);
	clock.frame();

	expect(published).toHaveLength(2);
});

test('what a frame brings is rendered in that frame, and once', () => {
	const { clock, loop, published } = setUp();
	loop.feed('a', true);
	clock.frame();

	loop.feed('ab', true);
	loop.feed('abc', true);
	expect(published).toHaveLength(1);
	clock.end();
	expect(published).toHaveLength(2);
	loop.feed('abcd', true);
	clock.end();

	expect(published).toHaveLength(2);
	clock.frame();
	expect(published).toHaveLength(3);
});

test('nothing new asks for no frame', () => {
	const { clock, loop } = setUp();
	loop.feed('a', true);
	loop.feed('a', true);

	expect(clock.waiting).toBeNull();
});

test('after a slow rendering the next one waits twice as long as it took', () => {
	const { clock, loop, published } = setUp(40);
	loop.feed('a', true); // until 40 ms
	loop.feed('ab', true);

	clock.frame(16); // 56 ms
	expect(published).toHaveLength(1);
	clock.frame(16); // 72 ms
	expect(published).toHaveLength(1);
	clock.frame(16); // 88 ms
	expect(published).toHaveLength(2);
});

test('a long text that is there already comes in slices, and settles', () => {
	const { clock, loop, published } = setUp();
	loop.feed('A paragraph of words.\n\n'.repeat(3000), false);

	let frames = 0;
	while (clock.frame()) frames++;

	expect(frames).toBeGreaterThan(8);
	expect(published.slice(0, -1).every(({ settled }) => !settled)).toBe(true);
	expect(published.at(-1)).toMatchObject({ settled: true });
	expect(published.at(-1)?.blocks).toHaveLength(3000);
});

test('an answer that goes on is not shown shorter meanwhile', () => {
	const { clock, loop, published } = setUp();
	const text = 'A paragraph of words.\n\n'.repeat(2000);
	loop.feed(text, false);
	while (clock.frame());
	published.length = 0;

	loop.feed(text + 'More.', true);
	while (clock.frame());

	expect(published.every(({ blocks }) => blocks.length >= 2000)).toBe(true);
	expect(published.at(-1)?.blocks).toHaveLength(2001);
});

test('a stopped loop renders no more', () => {
	const { clock, loop, published } = setUp();
	loop.feed('a', true);
	loop.feed('ab', true);
	loop.stop();
	clock.frame();
	loop.feed('abc', true);
	clock.frame();

	expect(published).toHaveLength(1);
});

test('a loop that is stopped before the end of what is being done renders no more', () => {
	const { clock, loop, published } = setUp();
	loop.feed('a', true);
	clock.frame();
	loop.feed('ab', true);
	loop.stop();
	clock.end();

	expect(published).toHaveLength(1);
});
