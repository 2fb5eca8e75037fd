/** Owns the texts about what waits to be sent, temporary chats and titles in English. The Chinese file has the same keys. */

export const chatsEn = {
	'sidebar.waiting': 'A message waits to be sent',
	'temporary.notice':
		'Temporary: in no list, on no disk, not in this browser. Gone once discarded or the server stops.',
	'temporary.discard': 'Discard',
	'temporary.discard_label': 'Discard this temporary chat',
	'temporary.discard_title': 'Discard this temporary chat?',
	'temporary.discard_sentence': 'Its messages are deleted at once and cannot be brought back.',
	'temporary.discarded': 'Temporary chat discarded. Nothing of it is left.',
	'temporary.left':
		'The temporary chat is in no list. It stays in the server’s memory until it is discarded or the server stops.',
	'temporary.back': 'Back to it',
	'temporary.dropped': 'What you wrote in the temporary chat was discarded.',
	'temporary.take_up': 'Take it up again',
	'temporary.missing':
		'A temporary chat is gone once it has been discarded or the server has stopped.',
	'chat.actions': 'Actions for this chat',
	'title.by_model': 'Title by the model',
	'title.asking': 'Asking the model for a title…',
	'title.engine_down': 'Title by the model (the engine is not ready)',
	'title.done': 'New title: {{title}}'
};
