// How a message ended that has no row. Told without a row a message for the commonest end: its seq was issued, it fell
// due, and no ended row says otherwise, so it was delivered.
import { comparePositions, type Position } from './position.ts';
import type { EndedRow } from './rows/ended-row.ts';
import type { Meta } from './rows/meta-row.ts';
import type { Fate } from './verdict.ts';

/**
 * A seq is issued once, for one message of one topic, for a lease or for a retry: an id that was made up from a seq
 * that was issued for something else can not be told from that of a delivered message once its time has passed.
 *
 * @param everHadGroup whether the topic ever had a group that could have been handed something
 */
export function fateOf(
  meta: Pick<Meta, 'clockMs' | 'seq' | 'horizonSeq'>,
  everHadGroup: boolean,
  position: Position,
  ended: EndedRow | undefined,
): Fate {
  if (ended !== undefined) {
    return ended.kind === 'stopped' ? { kind: 'stopped', attempts: ended.attempts } : { kind: ended.kind };
  }
  if (position.seq === 0 || position.seq > meta.seq) return { kind: 'notFound' };
  // Below the horizon a row may have been there and may have been collected: never a guess.
  if (position.seq <= meta.horizonSeq) return { kind: 'forgotten' };
  // Nothing above (clock, seq) was ever handed to anybody [H1], so without a row it never was.
  const due = comparePositions(position, { fireAtMs: meta.clockMs, seq: meta.seq }) <= 0;
  return { kind: due && everHadGroup ? 'delivered' : 'notFound' };
}
