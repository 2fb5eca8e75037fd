import { expect, test } from 'vitest';
import { RenderLoop, type Frames, type Rendering } from './loop';

/** Frames that come when they are told to, and time that passes when it is told to. */
class StoppedClock implements Frames {
	time = 0;
	waiting: (() => void) | null = null;
	requested = 0;

	request(callback: () => void): number {
		if (this.waiting) throw new Error('two frames requested at once');
		this.waiting = callback;
		return ++this.requested;
	}

	cancel(): void {
		this.waiting = null;
	}

	now(): number {
		return this.time;
	}

	/** One frame, `ms` later; false if nothing waits for it. */
	frame(ms = 16): boolean {
		this.time += ms;
		const callback = this.waiting;
		this.waiting = null;
		callback?.();
		return callback !== null;
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

	expect(published).toHaveLength(1);
});
