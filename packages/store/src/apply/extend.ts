// A consumer needs longer. An extension never shortens a lease.
import type { CommandOf } from '../command.ts';
import type { VerdictOf } from '../verdict.ts';
import type { EntryRows } from './entry/entry-rows.ts';
import { groupInHand, isCurrent, notCurrent } from './receipt.ts';

/** Like an ack, it is taken late as long as the hold is unreleased. */
export function applyExtend(rows: EntryRows, command: CommandOf<'extend'>): VerdictOf<'extend'> {
  const { topic, group } = command;
  const inHand = groupInHand(rows, command);
  if ('kind' in inHand) return inHand;
  const answers = command.leases.map((lease) => {
    const hold = rows.hold(topic, group, lease.position);
    if (!isCurrent(hold, lease)) return { answer: notCurrent(inHand.group, lease), untilMs: 0 };
    const untilMs = Math.max(hold.untilMs, rows.clockMs + command.leaseMs);
    rows.changeHold(topic, group, hold, { ...hold, untilMs });
    const { position, token } = hold;
    rows.changes.push({ kind: 'extended', topic, group, position, token, untilMs });
    return { answer: 'ok' as const, untilMs };
  });
  return { kind: 'extended', answers };
}
