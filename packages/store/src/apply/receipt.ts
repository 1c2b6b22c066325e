// What ack, nack, extend, release and giveBack have in common: a group, and receipts that are current or are not.
import { commandBounds } from '../bounds.ts';
import type { LeaseRef } from '../command.ts';
import type { GroupRow } from '../rows/group-row.ts';
import type { LeaseAnswer, Refusal } from '../verdict.ts';
import type { Hold } from '../view.ts';
import { wasHanded } from './done.ts';
import { type EntryRows, noRetry } from './entry/entry-rows.ts';
import type { TopicDraft } from './entry/topic-draft.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface GroupInHand {
  readonly draft: TopicDraft;
  readonly group: Mutable<GroupRow>;
}

/** The group that a command names, if it counts, and if the command is not too large. */
export function groupInHand(
  rows: EntryRows,
  command: { readonly topic: number; readonly group: number; readonly leases: readonly LeaseRef[] },
): GroupInHand | Refusal {
  if (command.leases.length > commandBounds.leaseRefs) return { kind: 'refused', code: 'tooManyRows' };
  const draft = rows.draft(command.topic);
  if (draft === undefined) return { kind: 'refused', code: 'topicNotFound' };
  const group = draft.activeGroup(command.group);
  return group === undefined ? { kind: 'refused', code: 'groupNotFound' } : { draft, group };
}

export function isCurrent(hold: Hold | undefined, lease: LeaseRef): hold is Hold & { readonly state: 'leased' } {
  return hold?.state === 'leased' && hold.token === lease.token;
}

/** The answer to a receipt that is not current, where a settled message is no success. */
export function notCurrent(group: GroupRow, lease: LeaseRef): LeaseAnswer {
  return wasHanded(group, lease.position) ? 'receiptNotCurrent' : 'notFound';
}

/** A lease that failed: back into the queue at its time, or a dead letter when its attempts are used up. */
export function failLease(
  rows: EntryRows,
  { draft, group }: GroupInHand,
  hold: Hold,
  failure: { readonly delayMs: number; readonly reason: string },
): void {
  if (hold.attempt < group.config.maxAttempts) {
    retryHold(rows, { draft, group }, { ...hold, reason: failure.reason }, failure.delayMs);
    return;
  }
  const topic = draft.row.number;
  rows.changeHold(topic, group.number, hold, { ...hold, state: 'dead', reason: failure.reason });
  group.outstanding -= 1;
  group.dead += 1;
  rows.changes.push({ kind: 'settled', topic, group: group.number, position: hold.position, how: 'dead' });
}

/** The body stays where it is: a retry is a time, and one small row in its order. */
export function retryHold(rows: EntryRows, { draft, group }: GroupInHand, hold: Hold, delayMs: number): void {
  const topic = draft.row.number;
  const retry = { retryAtMs: rows.clockMs + delayMs, retrySeq: rows.nextSeq() };
  rows.changeHold(topic, group.number, hold, { ...hold, state: 'retry', ...noRetry, ...retry });
  rows.changes.push({ kind: 'retry', topic, group: group.number, position: hold.position, ...retry });
}
