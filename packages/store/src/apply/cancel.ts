// Cancel a message, for all groups, with a definite verdict (the table in docs/http.md).
//
// After `cancelled` or `stopped` no delivery can follow: a lease later in the log finds no row.
import type { CommandOf } from '../command.ts';
import { fateOf } from '../fate.ts';
import type { Position } from '../position.ts';
import type { CancelVerdict, VerdictOf } from '../verdict.ts';
import type { Hold } from '../view.ts';
import { firstAnswer, keepAnswer } from './answers.ts';
import { isDone, wasHanded } from './done.ts';
import type { EntryRows } from './entry/entry-rows.ts';
import type { TopicDraft } from './entry/topic-draft.ts';

export function applyCancel(rows: EntryRows, command: CommandOf<'cancel'>): VerdictOf<'cancel'> {
  const { topic, position, idempotency } = command;
  const draft = rows.draft(topic);
  if (draft === undefined) return { kind: 'refused', code: 'topicNotFound' };
  const first = firstAnswer(rows, topic, idempotency);
  if (first.kind === 'first' && first.answer.kind === 'cancel') return { ...first.answer.verdict, repeated: true };
  if (first.kind !== 'none') return { kind: 'refused', code: 'idempotencyKeyReused' };

  const verdict = rows.hasMessage(topic, position)
    ? cancelMessage(rows, draft, position)
    : fateOf(rows.meta, draft.row.nextGroup > 1, position, rows.ended(topic, position));
  keepAnswer(rows, topic, idempotency, { kind: 'cancel', verdict }, first.ranOutMs);
  return { ...verdict, repeated: false };
}

function cancelMessage(rows: EntryRows, draft: TopicDraft, position: Position): CancelVerdict {
  const topic = draft.row.number;
  const groups = draft.active();
  const holds: { readonly group: number; readonly hold: Hold }[] = [];
  let leasedUntilMs: number | undefined;
  let attempts = 0;
  for (const { number } of groups) {
    const hold = rows.hold(topic, number, position);
    if (hold === undefined) continue;
    holds.push({ group: number, hold });
    attempts = Math.max(attempts, hold.attempt);
    if (hold.state === 'leased') leasedUntilMs = Math.max(leasedUntilMs ?? 0, hold.untilMs);
  }
  if (leasedUntilMs !== undefined) return { kind: 'leased', leasedUntilMs };
  const handed = groups.some((group) => wasHanded(group, position));
  // It stands there only because the group that kept it was deleted: to be swept, and no longer to be stopped.
  if (handed && groups.every((group) => isDone(rows, topic, group, position))) return { kind: 'delivered' };

  const end = handed ? ({ kind: 'stopped', attempts } as const) : ({ kind: 'cancelled' } as const);
  rows.deleteMessage(topic, position);
  rows.putEnded(topic, position, end);
  for (const { number } of groups) {
    // Done with it before, and only now it leaves the lane: one of those that it acknowledged is gone.
    const group = draft.group(number);
    if (group !== undefined && wasHanded(group, position) && !holds.some((held) => held.group === number))
      group.gone += 1;
  }
  for (const { group: number, hold } of holds) {
    rows.changeHold(topic, number, hold, undefined);
    const group = draft.group(number);
    if (group !== undefined) group[hold.state === 'dead' ? 'dead' : 'outstanding'] -= 1;
    rows.changes.push({ kind: 'settled', topic, group: number, position, how: 'ended' });
  }
  draft.row[end.kind] += 1;
  rows.putTopic(draft);
  return end;
}
