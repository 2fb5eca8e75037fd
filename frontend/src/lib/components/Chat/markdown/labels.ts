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
	task_open: 'Not done'
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
	task_open: '未完成'
};

export function label(key: keyof typeof EN, count?: number): string {
	const text = (language() === 'zh' ? ZH : EN)[key];
	return count === undefined ? text : text.replace('{count}', formatCount(count));
}
