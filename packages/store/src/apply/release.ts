// Leases that ran out, and leases whose answer reached nobody.
//
// A consumer that acknowledged in time may not have been heard, because the leader was lost: for a grace after each
// change of leader it must be able to repeat itself before its message goes to somebody else [H3]. The grace is counted
// from the begin of the release's own term, whose entry has a stamp [H8]; the core's empty entry has none. Leaders that
// change faster than a grace would postpone releases for ever, so ten times the grace after its end a lease goes anyway.
import type { CommandOf } from '../command.ts';
import type { LeaseAnswer, VerdictOf } from '../verdict.ts';
import type { Hold } from '../view.ts';
import type { EntryRows } from './entry/entry-rows.ts';
import { failLease, groupInHand, isCurrent, notCurrent, retryHold } from './receipt.ts';

const longestPostponement = 10;
const ranOut = 'lease ran out';

/** One lease inside the grace refuses the whole command: its leader named what it must not. */
export function applyRelease(rows: EntryRows, command: CommandOf<'release'>): VerdictOf<'release'> {
  const inHand = groupInHand(rows, command);
  if ('kind' in inHand) return inHand;
  if (rows.meta.beginTerm !== rows.entryTerm) return { kind: 'refused', code: 'graceRunning' };
  const answers: LeaseAnswer[] = [];
  for (const lease of command.leases) {
    const hold = rows.hold(command.topic, command.group, lease.position);
    if (!isCurrent(hold, lease) || rows.clockMs < hold.untilMs) {
      answers.push(notCurrent(inHand.group, lease));
      continue;
    }
    if (isInGrace(rows, hold)) return { kind: 'refused', code: 'graceRunning' };
    failLease(rows, inHand, hold, { delayMs: lease.delayMs, reason: ranOut });
    answers.push('ok');
  }
  rows.putTopic(inHand.draft);
  return { kind: 'answers', answers };
}

function isInGrace(rows: EntryRows, hold: Hold): boolean {
  const { releaseFromMs, graceMs } = rows.meta;
  return rows.clockMs < releaseFromMs && rows.clockMs < hold.untilMs + longestPostponement * graceMs;
}

/** No attempt counts, and it may be leased again at once: no copy of the answer left the leader. */
export function applyGiveBack(rows: EntryRows, command: CommandOf<'giveBack'>): VerdictOf<'giveBack'> {
  const inHand = groupInHand(rows, command);
  if ('kind' in inHand) return inHand;
  const answers = command.leases.map((lease): LeaseAnswer => {
    const hold = rows.hold(command.topic, command.group, lease.position);
    if (!isCurrent(hold, lease)) return notCurrent(inHand.group, lease);
    retryHold(rows, inHand, { ...hold, attempt: hold.attempt - 1 }, 0);
    return 'ok';
  });
  rows.putTopic(inHand.draft);
  return { kind: 'answers', answers };
}
