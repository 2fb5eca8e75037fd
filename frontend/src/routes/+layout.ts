/** Owns how the page is built: one static shell, rendered in the browser only. */
export const ssr = false;
export const prerender = false;
