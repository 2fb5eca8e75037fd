/** Owns what a message's menu is told to offer. Does not show it: `MessageMenu.svelte` does. */

import type Icon from '@lucide/svelte/icons/diff';

export interface MenuItem {
	id: string;
	text: string;
	icon: typeof Icon;
	run: () => void;
	isDisabled?: boolean;
	isDangerous?: boolean;
}
