/**
 * The process that serves the page: `node server/index.js [build directory]`.
 * Owns settings, listening and ending. What is served is in `page_server.js`.
 */

import { fileURLToPath } from 'node:url';
import { BuildMissing } from './pages.js';
import { pageServer } from './page_server.js';
import { SettingError, readSettings } from './settings.js';

/** Says to whoever starts it again that trying again cannot help. */
const WRONG_SETTING = 78;
const BUILD = fileURLToPath(new URL('../build', import.meta.url));

function main() {
	const settings = readSettings(process.env);
	const server = pageServer(settings, process.argv[2] ?? BUILD);
	server.on('error', (error) => fail(sentence(error, settings)));
	server.listen(settings.port, settings.host, () => {
		const address = server.address();
		const port = address && typeof address === 'object' ? address.port : settings.port;
		const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
		console.log(`VLLM Chat: http://${host}:${port}`);
	});
	// Runs belong to the backend; nothing here is worth waiting for.
	for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {import('./settings.js').Settings} settings
 */
function sentence(error, { host, port }) {
	if (error.code === 'EADDRINUSE')
		return `Port ${port} on ${host} is in use. Stop what listens there, or set FRONTEND_PORT.`;
	if (error.code === 'EACCES') return `Port ${port} on ${host} may not be opened by this user.`;
	if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
		return `FRONTEND_HOST ${host} is not an address of this machine.`;
	return `The page cannot be served: ${error.message}`;
}

/**
 * @param {string} message
 * @param {number} [code]
 */
function fail(message, code = 1) {
	console.error(message);
	process.exit(code);
}

try {
	main();
} catch (error) {
	if (!(error instanceof SettingError || error instanceof BuildMissing)) throw error;
	fail(error.message, error instanceof SettingError ? WRONG_SETTING : 1);
}
