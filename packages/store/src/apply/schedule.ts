// Walk 10/15: the message stands in its lane, at its position. From server/replica.ts, on to scheduler/window.ts.
//
// Falling due moves nothing: a message is written once, at (fireAt, seq), and that is where it is found.
import { commandBounds } from '../bounds.ts';
import type { CommandOf, DeliverAt } from '../command.ts';
import type { Position } from '../position.ts';
import { maxTimeMs } from '../stamp.ts';
import type { VerdictOf } from '../verdict.ts';
import { firstAnswer, keepAnswer } from './answers.ts';
import type { EntryRows } from './entry/entry-rows.ts';

/** All of the messages or none. */
export function applySchedule(rows: EntryRows, command: CommandOf<'schedule'>): VerdictOf<'schedule'> {
  const { messages, idempotency } = command;
  if (messages.length > commandBounds.messages) return { kind: 'refused', code: 'tooManyRows' };
  const existing = rows.draftNamed(command.topic);
  const first = firstAnswer(rows, existing?.row.number, idempotency);
  if (first.kind === 'first' && first.answer.kind === 'scheduled') return { ...first.answer, repeated: true };
  if (first.kind !== 'none') return { kind: 'refused', code: 'idempotencyKeyReused' };
  if (existing === undefined && rows.topicCount >= rows.limits.topics) return { kind: 'refused', code: 'topicLimit' };
  const draft = existing ?? rows.createTopic(command.topic);
  const topic = draft.row.number;

  const positions: Position[] = [];
  for (const message of messages) {
    // At or above the clock, with a fresh seq: above every position that a scan may have seen [H2].
    const position = { fireAtMs: fireAtMs(message.at, rows.clockMs), seq: rows.nextSeq() };
    rows.putMessage(topic, position, message);
    rows.changes.push({ kind: 'scheduled', topic, position });
    positions.push(position);
  }
  draft.row.scheduled += messages.length;
  rows.putTopic(draft);
  keepAnswer(rows, topic, idempotency, { kind: 'scheduled', topic, positions }, first.ranOutMs);
  return { kind: 'scheduled', topic, positions, repeated: false };
}

/** The past means now. @returns ms since the epoch */
function fireAtMs(at: DeliverAt, clockMs: number): number {
  const askedMs = at.kind === 'time' ? at.timeMs : clockMs + at.delayMs;
  return Math.min(Math.max(askedMs, clockMs), maxTimeMs);
}
