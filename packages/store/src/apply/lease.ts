// Walk 13/15: the message belongs to one consumer until a time, with a token. From scheduler/delivery/pick.ts, on to
// scheduler/delivery/handover.ts.
//
// The command names exact rows, and the cursor that they follow from. What is no longer as it was assumed is left out.
import { commandBounds } from '../bounds.ts';
import type { LeaseCommand, ReceiveRef } from '../command.ts';
import { comparePositions, type Position } from '../position.ts';
import type { GrantedLease, Refusal, VerdictOf } from '../verdict.ts';
import type { Hold } from '../view.ts';
import { type EntryRows, noRetry } from './entry/entry-rows.ts';

export function applyLease(rows: EntryRows, command: LeaseCommand): VerdictOf<'lease'> {
  const draft = rows.draft(command.topic);
  if (draft === undefined) return { kind: 'refused', code: 'topicNotFound' };
  const group = draft.activeGroup(command.group);
  if (group === undefined) return { kind: 'refused', code: 'groupNotFound' };
  const { cursor, lane, retries, receives } = command;
  if (Math.max(lane.length + retries.length, receives.length) > commandBounds.leaseRows) return tooManyRows;
  if (cursor !== undefined && !mayMove(cursor, group.cursor, rows.now)) return { kind: 'refused', code: 'cursorMoved' };

  const leases: GrantedLease[] = [];
  const grant = (position: Position, before: Hold | undefined, index: number): void => {
    const receive = receives[index];
    if (receive !== undefined) leases.push(grantLease(rows, command, { position, before, receive, index }));
  };
  if (cursor !== undefined) {
    for (const row of lane) {
      if (!isBetween(row.position, cursor) || !rows.hasMessage(command.topic, row.position)) continue;
      if (rows.hold(command.topic, command.group, row.position) !== undefined) continue;
      grant(row.position, undefined, row.receive);
      group.outstanding += 1;
    }
    group.cursor = cursor.to;
    rows.changes.push({ kind: 'cursor', topic: command.topic, group: command.group, cursor: cursor.to });
  }
  for (const row of retries) {
    const hold = rows.hold(command.topic, command.group, row.position);
    if (hold?.state !== 'retry' || hold.retryAtMs !== row.retryAtMs || hold.retrySeq !== row.retrySeq) continue;
    if (hold.retryAtMs > rows.clockMs) continue;
    grant(row.position, hold, row.receive);
  }
  rows.putTopic(draft);
  return { kind: 'leased', leases };
}

const tooManyRows: Refusal = { kind: 'refused', code: 'tooManyRows' };

/** Only from where it stands, never back, and never past what may still be inserted [H1]. */
function mayMove(asked: { readonly from: Position; readonly to: Position }, cursor: Position, now: Position): boolean {
  return (
    comparePositions(asked.from, cursor) === 0 &&
    comparePositions(asked.from, asked.to) <= 0 &&
    comparePositions(asked.to, now) <= 0
  );
}

/** In (from, to]: nothing is ever leased above the cursor [V3]. */
function isBetween(position: Position, { from, to }: { readonly from: Position; readonly to: Position }): boolean {
  return comparePositions(from, position) < 0 && comparePositions(position, to) <= 0;
}

function grantLease(
  rows: EntryRows,
  { topic, group }: { readonly topic: number; readonly group: number },
  row: {
    readonly position: Position;
    readonly before: Hold | undefined;
    readonly receive: ReceiveRef;
    readonly index: number;
  },
): GrantedLease {
  const { position, before, receive } = row;
  const { receiveId } = receive;
  const token = rows.nextSeq();
  const attempt = (before?.attempt ?? 0) + 1;
  const untilMs = rows.clockMs + receive.leaseMs;
  const reason = before?.reason ?? '';
  rows.changeHold(topic, group, before, {
    position,
    state: 'leased',
    token,
    attempt,
    untilMs,
    receiveId,
    ...noRetry,
    reason,
  });
  rows.changes.push({ kind: 'leased', topic, group, position, token, untilMs, attempt, receiveId });
  return { position, receive: row.index, token, attempt, untilMs };
}
