// Every check of a finished run. A run without violations has passed all of them.

import type { Check, Evidence } from './evidence.ts';
import { aRepeatedReceiveGetsTheSameLeases } from './history/a-repeated-receive-gets-the-same-leases.ts';
import { aSecondDeliveryHasAReason } from './history/a-second-delivery-has-a-reason.ts';
import { anAckInTimeWins } from './history/an-ack-in-time-wins.ts';
import { countsAddUp } from './history/counts-add-up.ts';
import { everyRequestEnds } from './history/every-request-ends.ts';
import { everythingDueIsDeliveredInTime } from './history/everything-due-is-delivered-in-time.ts';
import { leasesNeverOverlap } from './history/leases-never-overlap.ts';
import { nothingAcknowledgedIsLost } from './history/nothing-acknowledged-is-lost.ts';
import { nothingAfterADefiniteEnd } from './history/nothing-after-a-definite-end.ts';
import { nothingIsEarly } from './history/nothing-is-early.ts';
import { theFirstAnswerStands } from './history/the-first-answer-stands.ts';
import { tokensRise } from './history/tokens-rise.ts';
import { verdictsAreLinearizable } from './history/verdicts-are-linearizable.ts';
import { verdictsAreTrue } from './history/verdicts-are-true.ts';
import { whatIsAskedIsTakenAgain } from './history/what-is-asked-is-taken-again.ts';
import { whatWasRefusedIsNotThere } from './history/what-was-refused-is-not-there.ts';

export const checks: readonly Check[] = [
  nothingAcknowledgedIsLost,
  nothingIsEarly,
  nothingAfterADefiniteEnd,
  verdictsAreTrue,
  verdictsAreLinearizable,
  leasesNeverOverlap,
  aSecondDeliveryHasAReason,
  anAckInTimeWins,
  whatWasRefusedIsNotThere,
  tokensRise,
  theFirstAnswerStands,
  aRepeatedReceiveGetsTheSameLeases,
  countsAddUp,
  everythingDueIsDeliveredInTime,
  everyRequestEnds,
  whatIsAskedIsTakenAgain,
];

const shown = 3;

/**
 * @param tookMs gets the real time that each rule took
 * @returns sentences: the rule, and the first few that break it
 */
export function judge(evidence: Evidence, tookMs?: Record<string, number>): readonly string[] {
  return checks.flatMap((check) => {
    const startedMs = performance.now();
    const found = check.find(evidence);
    if (tookMs !== undefined) tookMs[check.says] = performance.now() - startedMs;
    const more = found.length > shown ? [`... and ${found.length - shown} more`] : [];
    return found.length === 0 ? [] : [`${check.says}: ${[...found.slice(0, shown), ...more].join('; ')}`];
  });
}
