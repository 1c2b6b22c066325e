// A consumer could not handle the message: it comes again after a delay, or becomes a dead letter.
import type { CommandOf } from '../command.ts';
import type { LeaseAnswer, VerdictOf } from '../verdict.ts';
import type { EntryRows } from './entry/entry-rows.ts';
import { failLease, groupInHand, isCurrent, notCurrent } from './receipt.ts';

/** Repeating a nack whose answer was lost is `ok`, and changes nothing: the lease of that token was handed back. */
export function applyNack(rows: EntryRows, command: CommandOf<'nack'>): VerdictOf<'nack'> {
  const inHand = groupInHand(rows, command);
  if ('kind' in inHand) return inHand;
  const answers = command.leases.map((lease): LeaseAnswer => {
    const hold = rows.hold(command.topic, command.group, lease.position);
    if (isCurrent(hold, lease)) failLease(rows, inHand, hold, lease);
    else if (hold?.token !== lease.token) return notCurrent(inHand.group, lease);
    return 'ok';
  });
  rows.putTopic(inHand.draft);
  return { kind: 'answers', answers };
}
