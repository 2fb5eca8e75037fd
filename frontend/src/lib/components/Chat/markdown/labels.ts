/** The words of rendered Markdown in the page's language. Knows nothing of what they are said about. */
import { formatCount, language } from '$lib/i18n';

const EN = {
	code: 'Code',
	copy: 'Copy',
	copied: 'Copied',
	wrap: 'Wrap lines',
	lines: '{count} lines',
	show_all: 'Show all {count} characters',
	direction_marks: 'Contains hidden characters that change the direction of text',
	table: 'Table',
	notes: 'Footnotes',
	task_done: 'Done',
	task_open: 'Not done',
	diagram: 'Diagram',
	diagram_source: 'Source',
	diagram_full: 'Full size',
	diagram_syntax: 'This diagram cannot be drawn.',
	diagram_too_long: 'This diagram is not drawn: its source is longer than {count} characters.',
	diagram_too_large: 'This diagram is too large to be shown.',
	diagram_too_slow: 'This diagram was given up: drawing it took too long.',
	diagram_unavailable: 'What draws diagrams could not be loaded.',
	diagram_again: 'Try again'
};

const ZH: typeof EN = {
	code: '代码',
	copy: '复制',
	copied: '已复制',
	wrap: '自动换行',
	lines: '{count} 行',
	show_all: '显示全部 {count} 个字符',
	direction_marks: '含有改变文字方向的隐藏字符',
	table: '表格',
	notes: '脚注',
	task_done: '已完成',
	task_open: '未完成',
	diagram: '图表',
	diagram_source: '源码',
	diagram_full: '原始大小',
	diagram_syntax: '这张图画不出来。',
	diagram_too_long: '源码超过 {count} 个字符，没有绘制这张图。',
	diagram_too_large: '这张图太大，无法显示。',
	diagram_too_slow: '绘制用时太久，已放弃。',
	diagram_unavailable: '绘图组件没能加载。',
	diagram_again: '重试'
};

export function label(key: keyof typeof EN, count?: number): string {
	const text = (language() === 'zh' ? ZH : EN)[key];
	return count === undefined ? text : text.replace('{count}', formatCount(count));
}
