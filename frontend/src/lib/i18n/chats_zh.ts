/** Owns the texts about what waits to be sent, temporary chats and titles in Chinese. The English file has the same keys. */

import type { chatsEn } from './chats_en';

export const chatsZh: Record<keyof typeof chatsEn, string> = {
	'sidebar.waiting': '有消息等待发送',
	'temporary.notice':
		'临时对话：不进列表，不写入磁盘，也不存进浏览器。丢弃后或服务器停止后即消失。',
	'temporary.discard': '丢弃',
	'temporary.discard_label': '丢弃这个临时对话',
	'temporary.discard_title': '丢弃这个临时对话？',
	'temporary.discard_sentence': '其中的消息会立即删除，无法恢复。',
	'temporary.discarded': '临时对话已丢弃，没有留下任何内容。',
	'temporary.left': '临时对话不在列表中。在丢弃它或服务器停止之前，它仍留在服务器的内存里。',
	'temporary.back': '返回该对话',
	'temporary.dropped': '你在临时对话里写的内容已丢弃。',
	'temporary.take_up': '继续写',
	'temporary.missing': '临时对话在丢弃后或服务器停止后就不复存在。',
	'chat.actions': '本对话的操作',
	'title.by_model': '让模型起标题',
	'title.asking': '正在请模型起标题…',
	'title.engine_down': '让模型起标题（引擎未就绪）',
	'title.done': '新标题：{{title}}'
};
