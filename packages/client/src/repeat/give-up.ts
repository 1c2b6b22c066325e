// How long a call may be repeated. Each attempt of a write carries one key, and a node keeps the answer to a key for a
// while only: a repeat that comes later is a new write.
import { defaults } from '@holdfast/api';
import { type Duration, durationMs } from '../client-parts.ts';

const usualMs = 300_000;
/** The last attempt may be under way for a while, and the cluster's clock may jump ahead when the leader changes. */
const marginMs = 60_000;
const longestMs = defaults.idempotencyKeepMs - marginMs;

/** @throws RangeError when it is too long; HoldfastError HF_INVALID_REQUEST when it is no duration */
export function giveUpAfterMsOf(giveUpAfter: Duration = usualMs): number {
  const giveUpAfterMs = durationMs(giveUpAfter, 'giveUpAfter');
  if (giveUpAfterMs <= longestMs) return giveUpAfterMs;
  throw new RangeError(
    `giveUpAfter must be at most ${longestMs} ms, and is ${giveUpAfterMs}: a write that is repeated for longer could be done twice.`,
  );
}
