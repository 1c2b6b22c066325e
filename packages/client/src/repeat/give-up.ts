// How long a call may be repeated. Each attempt of a write carries one key, and a node keeps the answer to a key for a
// while only: a repeat that comes later is a new write.
import { defaults } from '@holdfast/api';

const usualMs = 300_000;
/** The last attempt may be under way for a while, and the clocks of client and nodes run at rates of their own. */
const marginMs = 60_000;
const longestMs = defaults.idempotencyKeepMs - marginMs;

/** @throws RangeError: with none of it nothing would be sent, and with more than the bound a write could be done twice */
export function checkedGiveUpAfterMs(giveUpAfterMs: number = usualMs): number {
  if (giveUpAfterMs > 0 && giveUpAfterMs <= longestMs) return giveUpAfterMs;
  const why = giveUpAfterMs === 0 ? 'nothing would be sent' : 'a write that is repeated for longer could be done twice';
  throw new RangeError(`giveUpAfter must be from 1 to ${longestMs} ms, and is ${giveUpAfterMs}: ${why}.`);
}
