/**
 * Owns the backend's own English sentences that people see, in the page's language.
 * A sentence it does not know is shown as it came.
 */

import { language, t, type MessageKey } from './language.svelte';

/** Each captured name becomes a value of the text. */
const KNOWN: [sentence: RegExp, key: MessageKey][] = [
	[
		/^(?<model>\S+) is not under .+?: a small stand-in, (?<small>\S+), answers instead\./,
		'backend.stand_in'
	],
	[/^(?<model>\S+) has 8-bit GPTQ weights, which vLLM runs on a GPU only\.?/, 'backend.gptq'],
	[/^No engine answers at VLLM_API_BASE_URL\.$/, 'backend.no_engine'],
	[/^Start it with \.\/scripts\/start_vllm\.sh, or set VLLM_API_BASE_URL/, 'backend.start_engine'],
	[/^The engine answers with errors\.$/, 'engine.failed'],
	[/^The engine answered with an error \(HTTP (?<status>\d+)\)\.$/, 'backend.http_error'],
	[/^Wait: it comes by itself\.$/, 'backend.wait'],
	[/^(?<model>[^:]+): preparing$/, 'backend.preparing'],
	[/^(?<model>[^:]+): (?:loading\b|ready$)/, 'backend.loading'],
	[/^(?<model>[^:]+): restarting$/, 'backend.restarting'],
	[/^(?:[^:]+: )?vLLM ended with code (?<code>-?\d+)$/, 'backend.engine_ended'],
	[/^(?:preparing|starting|restarting|loading)$/, 'backend.starting'],
	[/^(?:[^:]+: )?waiting for another start that is setting up the same/, 'backend.other_start'],
	[/^(?:[^:]+: )?installing uv /, 'backend.installing_uv'],
	[
		/^(?:[^:]+: )?installing vLLM for the (?<device>CPU|GPU) \(\S+, about (?<size>\d+ GB) /,
		'backend.installing'
	],
	[/^(?:[^:]+: )?vLLM is installed\b/, 'backend.installed'],
	[/^(?:[^:]+: )?asking the model hub for (?<model>\S+)$/, 'backend.asking_hub'],
	[
		/^(?:[^:]+: )?downloading (?<model>\S+): (?<here>\d+) of (?<whole>\d+) MB$/,
		'backend.downloading_share'
	],
	[/^(?:[^:]+: )?downloading (?<model>[^\s:]+)/, 'backend.downloading'],
	[/^(?:[^:]+: )?fetching (?<model>\S+) from the Python package index/, 'backend.fetching_small'],
	[/^(?:[^:]+: )?model: (?<model>\S+) \(/, 'backend.preparing'],
	[/^it is here already$/, 'transfer.is_here'],
	[/^it is empty$/, 'transfer.is_empty'],
	[/^it is no conversation of a known format$/, 'transfer.is_unknown'],
	[/^it has more than (?<limit>\d+) messages$/, 'transfer.is_too_long'],
	[/^two of its messages have the same id$/, 'transfer.is_doubled'],
	[/^one of its messages has more than (?<limit>\d+) characters$/, 'transfer.is_too_large'],
	[/^its messages go round in a circle$/, 'transfer.is_round'],
	[/^there is room for (?<limit>\d+) chats$/, 'transfer.no_room'],
	[/^it is no preset$/, 'transfer.is_no_preset'],
	[/^there is no room for more presets$/, 'transfer.no_room_presets'],
	[/^This is a zip archive\./, 'transfer.is_zip'],
	[/^This is not the JSON of an export\.$/, 'transfer.is_no_json'],
	[/^A file may hold at most (?<limit>\d+) conversations\.$/, 'transfer.is_too_many'],
	[/^No conversation of VLLM Chat, Open WebUI, .+ was found in it\.$/, 'transfer.is_no_export'],
	[/^The database does not answer\.$/, 'error.storage_unavailable'],
	[
		/^The conversation has at least (?<used>\d+) tokens; the model's context holds (?<limit>\d+)\./,
		'backend.context'
	],
	[/^The conversation is longer than the model's context\./, 'error.context_too_long'],
	[/^VLLM_API_BASE_URL is not the address of an engine\.$/, 'backend.wrong_address'],
	[/^The engine is overloaded or not ready; try again in a moment\.$/, 'backend.overloaded'],
	[/^The engine does not accept these options\.$/, 'backend.options'],
	[/^The engine does not accept this value of (?<name>[\w.]+)\.$/, 'backend.value']
];

/** The backend's sentences for programs go on with what a program can do: people have buttons for that. */
const FOR_PROGRAMS: ReadonlySet<MessageKey> = new Set([
	'backend.context',
	'error.context_too_long'
]);

export function inOwnWords(sentence: string): string {
	for (const [pattern, key] of KNOWN) {
		if (language() === 'en' && !FOR_PROGRAMS.has(key)) continue;
		const found = pattern.exec(sentence);
		if (found) return t(key, found.groups ?? {});
	}
	return sentence;
}
