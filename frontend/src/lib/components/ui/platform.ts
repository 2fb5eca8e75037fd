/** Owns what differs between the readers' machines. */

/** The name of the key that goes with Enter: ⌘ on Apple's machines. */
export const MOD_KEY = /mac|iphone|ipad/i.test(navigator.userAgent) ? '⌘' : 'Ctrl';
