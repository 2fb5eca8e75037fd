import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Follow, NEAR_END_PX } from './follow.svelte';

let region: HTMLElement;
let text: HTMLElement;
let follow: Follow;
let end: () => void;

beforeEach(() => {
	region = document.createElement('div');
	text = document.createElement('div');
	region.append(text);
	document.body.append(region);
	region.style.cssText = 'height: 400px; overflow-y: auto; overflow-anchor: none';
	text.style.height = '2000px';
	follow = new Follow();
	end = follow.region(region);
});

afterEach(() => {
	end();
	region.remove();
});

const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
const rest = () => region.scrollHeight - region.clientHeight - region.scrollTop;

describe('a view at the end', () => {
	test('follows a text that gets shorter and longer in one frame', async () => {
		await frame();
		// As the browser does when a text got 4 px shorter; then more comes before anybody is told.
		region.scrollTop -= 4;
		text.style.height = '3900px';
		await frame();
		await frame();

		expect(follow.isFollowing).toBe(true);
		expect(rest()).toBeLessThanOrEqual(1);
	});

	test('lets a reader go up while the text grows', async () => {
		await frame();
		region.dispatchEvent(new WheelEvent('wheel', { deltaY: -50 }));
		region.scrollTop -= 50;
		text.style.height = '2600px';
		await frame();
		await frame();

		expect(follow.isFollowing).toBe(false);
		expect(rest()).toBeGreaterThan(NEAR_END_PX);
	});

	test('lets a reader go up while the text gets shorter', async () => {
		await frame();
		region.dispatchEvent(new WheelEvent('wheel', { deltaY: -500 }));
		region.scrollTop -= 500;
		text.style.height = '1900px';
		await frame();
		await frame();

		expect(follow.isFollowing).toBe(false);
		expect(region.scrollTop).toBe(1100);
	});

	test('lets the search of the browser go far up while the text grows', async () => {
		await frame();
		region.scrollTop = 300;
		text.style.height = '2600px';
		await frame();
		await frame();

		expect(follow.isFollowing).toBe(false);
		expect(region.scrollTop).toBe(300);
	});

	test('lets a reader go up a little while nothing grows', async () => {
		await frame();
		region.scrollTop -= 30;
		await frame();

		expect(follow.isFollowing).toBe(false);
		region.scrollTop += 30;
		await frame();
		expect(follow.isFollowing).toBe(true);
	});
});
