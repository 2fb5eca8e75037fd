/** Owns the texts about settings in Chinese. The English file has the same keys. */

import type { settingsEn } from './settings_en';

export const settingsZh: Record<keyof typeof settingsEn, string> = {
	'settings.open': '设置',
	'settings.title': '设置',
	'settings.close': '关闭',
	'settings.this_chat': '本对话',
	'settings.page': '本浏览器',
	'settings.system_prompt': '系统提示词',
	'settings.system_prompt_hint': '模型在本对话中应当如何表现。',
	'settings.temperature': '温度',
	'settings.temperature_hint': '0 到 2；留空用默认值。',
	'settings.max_tokens': '回答的最大长度（token）',
	'settings.max_tokens_hint': '留空用默认值。',
	'settings.invalid_temperature': '请输入 0 到 2 之间的数。',
	'settings.invalid_max_tokens': '请输入不小于 1 的整数。',
	'settings.save': '保存',
	'settings.saved': '已保存',
	'settings.send_key': '发送按键',
	'settings.send_enter': 'Enter',
	'settings.send_mod': '{{mod}}+Enter',
	'settings.font_size': '文字大小',
	'settings.font_small': '小',
	'settings.font_medium': '中',
	'settings.font_large': '大',
	'language.label': '语言',
	'language.switch': 'Switch to English',
	'theme.label': '主题',
	'theme.system': '跟随系统',
	'theme.light': '浅色',
	'theme.dark': '深色',
	'theme.switch': '主题：{{theme}}。点按切换。'
};
