/** Owns what differs between the readers' machines. */

const IS_APPLE = /mac|iphone|ipad/i.test(navigator.userAgent);
/** The name of the key that goes with Enter: ⌘ on Apple's machines. */
export const MOD_KEY = IS_APPLE ? '⌘' : 'Ctrl';
export const ALT_KEY = IS_APPLE ? '⌥' : 'Alt';
