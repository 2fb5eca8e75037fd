/** Owns the lines of the list: chats under the day they were last used, pinned ones first. Shows nothing. */

import type { ChatSummary } from '$lib/types/wire';
import { locale, t } from '$lib/i18n';
import { dayGroup, type DayGroup } from '$lib/utils/days';

export type Row =
	| { kind: 'heading'; key: string; text: string }
	| { kind: 'chat'; key: string; chat: ChatSummary }
	| { kind: 'more'; key: 'more' };

/** `chats` in their order: pinned first, then the newest activity. */
export function rowsOf(chats: readonly ChatSummary[], now: Date, hasMore: boolean): Row[] {
	const rows: Row[] = [];
	let last = '';
	for (const chat of chats) {
		const group = chat.pinned ? null : dayGroup(new Date(chat.updated_at), now);
		const key = group?.key ?? 'pinned';
		if (key !== last) rows.push({ kind: 'heading', key: `group ${key}`, text: nameOf(group, now) });
		last = key;
		rows.push({ kind: 'chat', key: chat.id, chat });
	}
	if (hasMore) rows.push({ kind: 'more', key: 'more' });
	return rows;
}

function nameOf(group: DayGroup | null, now: Date): string {
	if (!group) return t('sidebar.pinned');
	if (!('month' in group)) return t(`sidebar.day.${group.key}`);
	const { month } = group;
	const isThisYear = month.getFullYear() === now.getFullYear();
	const year = isThisYear ? undefined : 'numeric';
	return new Intl.DateTimeFormat(locale(), { month: 'long', year }).format(month);
}
