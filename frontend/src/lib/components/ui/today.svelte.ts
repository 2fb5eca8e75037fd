/** Owns which day it is while the page is open: looked at again when the reader comes back. */

import { on } from 'svelte/events';
import { createSubscriber } from 'svelte/reactivity';

let day = new Date();

const subscribe = createSubscriber((update) => {
	const look = () => {
		const now = new Date();
		if (now.toDateString() === day.toDateString()) return;
		day = now;
		update();
	};
	look();
	return on(window, 'focus', look);
});

/** A moment of this day; who reads it is told when another day has begun. */
export function today(): Date {
	subscribe();
	return day;
}
