import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunEvent } from '$lib/types/events';
import type { Outcome } from '$lib/types/wire';
import { aMessage } from '../../../tests/builders';
import { reduce, runBefore, runFromSnapshot, stopping, type RunState } from './run_state';

const IDS = { chat_id: 'chat', run_id: 'run', message_id: 'answer' };
const EMPTY = aMessage({ id: 'answer', role: 'assistant' });

const started = (continued: number) =>
	({
		type: 'run.started',
		model: 'm',
		parent_id: null,
		continued,
		continues: null
	}) as const;
const body = fc.oneof(
	{
		weight: 8,
		arbitrary: fc.record({
			type: fc.constant('run.delta' as const),
			channel: fc.constantFrom('content' as const, 'reasoning' as const),
			text: fc.string({ unit: 'grapheme', minLength: 1 })
		})
	},
	{
		weight: 1,
		arbitrary: fc.record({
			type: fc.constant('run.queued' as const),
			position: fc.option(fc.nat()),
			reason: fc.constantFrom('capacity' as const, 'engine_unavailable' as const)
		})
	},
	{ weight: 1, arbitrary: fc.nat({ max: 3 }).map(started) }
);

/** A whole run: numbered without a hole, ended once, its message the text of its deltas (law 1). */
const wholeRun = fc
	.tuple(
		fc.array(body, { maxLength: 40 }),
		fc.constantFrom<Outcome>('completed', 'stopped', 'interrupted', 'failed'),
		fc.nat({ max: 5 })
	)
	.map(([bodies, outcome, unseen]): RunEvent[] => {
		const events = bodies.map((facts, index): RunEvent => ({ ...IDS, ...facts, seq: index + 1 }));
		const text_seq = outcome === 'stopped' ? Math.max(0, events.length - unseen) : events.length;
		const message = {
			...EMPTY,
			status: outcome,
			content: textOf(events, 'content', text_seq),
			reasoning: textOf(events, 'reasoning', text_seq)
		};
		const seq = events.length + 1;
		return [...events, { ...IDS, seq, type: 'run.ended', outcome, text_seq, message }];
	});

function textOf(events: RunEvent[], channel: string, upTo: number): string {
	return events
		.map((event) =>
			event.type === 'run.delta' && event.channel === channel && event.seq <= upTo ? event.text : ''
		)
		.join('');
}

const foldAll = (events: RunEvent[], from: RunState = runBefore('run', EMPTY)) =>
	events.reduce((state, event) => reduce(state, event).state, from);

/** What the server answers to a join after its event `seq`. */
function snapshotAt(events: RunEvent[], seq: number): RunState {
	return runFromSnapshot({
		run_id: 'run',
		message_id: 'answer',
		status: 'streaming',
		content: textOf(events, 'content', seq),
		reasoning: textOf(events, 'reasoning', seq),
		seq
	});
}

describe('reduce', () => {
	test('while a run lives, what is shown is the text of its deltas', () => {
		fc.assert(
			fc.property(wholeRun, (events) => {
				const live = events.slice(0, -1);
				const state = foldAll(live);

				expect(state.content).toBe(textOf(live, 'content', Infinity));
				expect(state.reasoning).toBe(textOf(live, 'reasoning', Infinity));
				expect(state.seq).toBe(live.length);
			})
		);
	});

	test('a snapshot at any seq and the events after it equal all events', () => {
		fc.assert(
			fc.property(wholeRun, fc.nat(), (events, at) => {
				const seq = at % events.length;

				const joined = foldAll(events.slice(seq), snapshotAt(events, seq));

				const { content, reasoning, phase, outcome, message } = foldAll(events);
				expect(joined).toMatchObject({ content, reasoning, phase, outcome, message });
				expect(joined.seq).toBe(events.length);
			})
		);
	});

	test('a snapshot and overlapping older events change nothing twice', () => {
		fc.assert(
			fc.property(wholeRun, fc.nat(), (events, at) => {
				const seq = at % events.length;

				expect(foldAll(events, snapshotAt(events, seq)).content).toBe(foldAll(events).content);
			})
		);
	});

	test('lost, doubled and reordered events are harmless: a client that joins at each gap is right', () => {
		const delivery = fc.array(fc.record({ index: fc.nat(), join: fc.boolean() }), {
			maxLength: 120
		});
		fc.assert(
			fc.property(wholeRun, delivery, (events, arrivals) => {
				let state = runBefore('run', EMPTY);
				let published = 0;
				for (const { index, join } of arrivals) {
					const event = events[index % events.length] as RunEvent;
					published = Math.max(published, Math.min(event.seq, events.length - 1));
					const step = reduce(state, event);
					if (step.verdict === 'duplicate') expect(step.state).toBe(state);
					state = step.state;
					if (state.phase === 'ended') break;
					if (step.verdict === 'gap')
						state = join
							? snapshotAt(events, published)
							: foldAll(events.slice(state.seq, published), state);
				}
				state = foldAll(events, state);

				expect(state.phase).toBe('ended');
				expect(state.content).toBe(foldAll(events).content);
				expect(state.reasoning).toBe(foldAll(events).reasoning);
			})
		);
	});

	test('an event that was seen already is no reason to ask the server', () => {
		const event: RunEvent = { ...IDS, ...started(0), seq: 1 };
		const { state } = reduce(runBefore('run', EMPTY), event);

		expect(reduce(state, event)).toEqual({ verdict: 'duplicate', state });
	});

	test('an event after a hole is not applied', () => {
		const state = runBefore('run', EMPTY);

		const step = reduce(state, {
			...IDS,
			type: 'run.delta',
			channel: 'content',
			text: 'x',
			seq: 2
		});

		expect(step).toEqual({ verdict: 'gap', state });
	});

	test('at its end a run takes the stored message, also where the text was cut', () => {
		fc.assert(
			fc.property(wholeRun, (events) => {
				const last = events.at(-1);
				const state = foldAll(events);

				if (last?.type !== 'run.ended') throw new Error('a run ends');
				expect(state.message).toEqual(last.message);
				expect(state.content).toBe(last.message.content);
				expect(state.outcome).toBe(last.outcome);
			})
		);
	});

	test('a run that continues a message goes on below its text', () => {
		const message = aMessage({ id: 'answer', content: 'Once upon', reasoning: 'Hm.' });

		const state = foldAll(
			[{ ...IDS, type: 'run.delta', channel: 'content', text: ' a time', seq: 1 }],
			runBefore('run', message)
		);

		expect(state).toMatchObject({ content: 'Once upon a time', reasoning: 'Hm.' });
	});

	test('after a stop the text stays as it was seen, and nothing is counted as missing', () => {
		fc.assert(
			fc.property(wholeRun, fc.nat(), (events, at) => {
				const seen = at % events.length;
				const atStop = stopping(foldAll(events.slice(0, seen)));

				const before = foldAll(events.slice(seen, -1), atStop);
				expect(before.content).toBe(atStop.content);
				expect(before.phase).toBe(atStop.phase);

				expect(foldAll(events.slice(-1), before).phase).toBe('ended');
			})
		);
	});

	test('a run that waits says how, and goes on after a restart with its text', () => {
		const events: RunEvent[] = [
			{ ...IDS, type: 'run.queued', position: 3, reason: 'capacity', seq: 1 },
			{ ...IDS, ...started(0), seq: 2 },
			{ ...IDS, type: 'run.delta', channel: 'content', text: 'half', seq: 3 },
			{ ...IDS, type: 'run.queued', position: null, reason: 'engine_unavailable', seq: 4 },
			{ ...IDS, ...started(1), seq: 5 }
		];

		expect(foldAll(events.slice(0, 1))).toMatchObject({ phase: 'queued', position: 3 });
		expect(foldAll(events.slice(0, 4))).toMatchObject({
			phase: 'queued',
			reason: 'engine_unavailable',
			content: 'half'
		});
		expect(foldAll(events)).toMatchObject({ phase: 'streaming', continued: 1, content: 'half' });
	});
});
