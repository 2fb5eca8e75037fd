/**
 * Owns the static server's settings, read from the environment once.
 * Does not read `.env`: the start script does.
 */

const DEFAULTS = {
	FRONTEND_HOST: '127.0.0.1',
	FRONTEND_PORT: '3000',
	BACKEND_HOST: '127.0.0.1',
	BACKEND_PORT: '8080'
};

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** A setting that cannot be used; the message names it and what is allowed. */
export class SettingError extends Error {}

/**
 * @typedef {object} Settings
 * @property {string} host address to listen on
 * @property {number} port port to listen on; 0 lets the system choose
 * @property {string} backendHost
 * @property {number} backendPort
 */

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Settings}
 * @throws {SettingError} a port is not a whole number from 0 to 65535, or everybody would be let in
 */
export function readSettings(env) {
	return {
		host: listening(env),
		port: port(env, 'FRONTEND_PORT', 0),
		backendHost: reachable(value(env, 'BACKEND_HOST')),
		backendPort: port(env, 'BACKEND_PORT', 1)
	};
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {keyof typeof DEFAULTS} name
 */
function value(env, name) {
	return env[name]?.trim() || DEFAULTS[name];
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {'FRONTEND_PORT' | 'BACKEND_PORT'} name
 * @param {number} lowest
 */
function port(env, name, lowest) {
	const text = value(env, name);
	const number = Number(text);
	if (!/^\d+$/.test(text) || number < lowest || number > 65535)
		throw new SettingError(`${name} must be a whole number from ${lowest} to 65535.`);
	return number;
}

/**
 * All of the backend is behind this address, so that the backend's rule is its rule: without login only this machine.
 *
 * @param {Record<string, string | undefined>} env
 */
function listening(env) {
	const host = value(env, 'FRONTEND_HOST');
	const isOpen = /^(?:1|true|yes|on|t|y)$/i.test(env.ALLOW_OPEN_WITHOUT_LOGIN?.trim() ?? '');
	if (LOOPBACK.includes(host) || isOpen || env.AUTH_MODE?.trim() === 'jwt') return host;
	throw new SettingError(
		`FRONTEND_HOST ${host} is not a loopback address and AUTH_MODE is none: everybody who reaches this machine could read every chat. ` +
			'Set FRONTEND_HOST=127.0.0.1; ALLOW_OPEN_WITHOUT_LOGIN=true is for a container that publishes loopback only.'
	);
}

/**
 * An address a server listens on is not always one a client can call.
 *
 * @param {string} host
 */
function reachable(host) {
	if (host === '0.0.0.0') return '127.0.0.1';
	return host === '::' ? '::1' : host;
}
