// Walk 15/15: the message is done; counted; gone. From client/worker.ts.
import type { CommandOf } from '../command.ts';
import type { LeaseAnswer, VerdictOf } from '../verdict.ts';
import { maybeRemove, wasHanded } from './done.ts';
import type { EntryRows } from './entry/entry-rows.ts';
import { groupInHand, isCurrent } from './receipt.ts';

/** Late acks are taken while the hold is unreleased; acknowledging what is settled is `ok`, so that a repeat is. */
export function applyAck(rows: EntryRows, command: CommandOf<'ack'>): VerdictOf<'ack'> {
  const { topic } = command;
  const inHand = groupInHand(rows, command);
  if ('kind' in inHand) return inHand;
  const { draft, group } = inHand;
  const answers = command.leases.map((lease): LeaseAnswer => {
    const { position } = lease;
    const hold = rows.hold(topic, group.number, position);
    if (hold === undefined) return wasHanded(group, position) ? 'ok' : 'notFound';
    if (!isCurrent(hold, lease)) return 'receiptNotCurrent';
    rows.changeHold(topic, group.number, hold, undefined);
    group.outstanding -= 1;
    group.acknowledged += 1;
    maybeRemove(rows, draft, position);
    rows.changes.push({ kind: 'settled', topic, group: group.number, position, how: 'acknowledged' });
    return 'ok';
  });
  rows.putTopic(draft);
  return { kind: 'answers', answers };
}
