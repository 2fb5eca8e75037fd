/**
 * Draws the icons of the installed page from `static/favicon.svg`: `node scripts/icons.js`.
 * The pictures are kept in the repository; run it when the drawing changes.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';

const STATIC = fileURLToPath(new URL('../static/', import.meta.url));
const drawing = readFileSync(`${STATIC}favicon.svg`, 'utf8');
/** A system may cut a maskable icon to a circle of four fifths: its colour goes to the edge. */
const whole = drawing
	.replace(' rx="8"', '')
	.replace('viewBox="0 0 32 32"', 'viewBox="-4 -4 40 40"');
const maskable = whole.replace('width="32" height="32"', 'x="-4" y="-4" width="40" height="40"');
const ICONS = [
	{ name: 'icon-192.png', size: 192, svg: drawing },
	{ name: 'icon-512.png', size: 512, svg: drawing },
	{ name: 'icon-maskable.png', size: 512, svg: maskable }
];

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox']
});
for (const { name, size, svg } of ICONS) {
	const page = await browser.newPage({ viewport: { width: size, height: size } });
	const picture = svg.replace(
		'<svg ',
		`<svg width="${size}" height="${size}" style="display:block" `
	);
	await page.setContent(`<body style="margin:0">${picture}`);
	await page.screenshot({ path: `${STATIC}${name}`, omitBackground: true });
	await page.close();
}
await browser.close();
