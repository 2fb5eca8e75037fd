/** Owns text of many lines that comes in one piece by another way than pasting: a keyboard's clipboard, dictation. */

/**
 * Chromium puts such a text in line by line and lays out the whole box after each: thousands of lines
 * take many seconds. Here it goes in at once. The price is that undo does not know of it.
 */
const MANY_LINES = 50;

export function insertAtOnce(event: InputEvent & { currentTarget: HTMLTextAreaElement }) {
	const { data, inputType, isComposing, currentTarget: area } = event;
	if (inputType !== 'insertText' || isComposing || !data || !event.cancelable) return;
	if (data.split('\n', MANY_LINES + 1).length <= MANY_LINES) return;
	event.preventDefault();
	area.setRangeText(data, area.selectionStart, area.selectionEnd, 'end');
	area.dispatchEvent(new InputEvent('input', { bubbles: true, inputType, data }));
}
