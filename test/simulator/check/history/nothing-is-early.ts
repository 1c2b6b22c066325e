import type { Scheduled } from '../../work/history.ts';
import type { Check, Evidence } from '../evidence.ts';

/**
 * In true time, within the stated bound on clocks. A delay begins on the cluster's clock and ends on it, so it meets the
 * bound twice, and is shorter by what that clock was behind when it began; where a wrong clock may have been one of only
 * two that a leader knew, it is only held to what the cluster itself said.
 */
function earliestMs({ dueMs, delayed, deliverAtMs }: Scheduled, { skewMs, wildClock, clockLagMs }: Evidence): number {
  if (!delayed) return dueMs - skewMs;
  return wildClock ? Math.min(dueMs, deliverAtMs ?? dueMs - 3_600_000) - 2 * skewMs : dueMs - 2 * skewMs - clockLagMs;
}

export const nothingIsEarly: Check = {
  says: 'nothing is delivered before its time',
  find(evidence) {
    const { history } = evidence;
    return history.delivered.flatMap(({ tag, group, atMs }) => {
      const scheduled = history.scheduled.get(tag);
      if (scheduled === undefined) return [`${tag} was delivered to ${group}, and nobody scheduled it`];
      if (atMs >= earliestMs(scheduled, evidence)) return [];
      return [`${tag}, due at ${scheduled.dueMs.toFixed(1)}, was delivered to ${group} at ${atMs.toFixed(1)}`];
    });
  },
};
