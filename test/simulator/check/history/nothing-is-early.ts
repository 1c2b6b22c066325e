import type { Scheduled } from '../../work/history.ts';
import type { Check, Evidence } from '../evidence.ts';

/**
 * In true time, within the stated bound on clocks. A delay begins on the cluster's clock and ends on it, so it meets the
 * bound twice, and is shorter by what that clock was behind when it began. The time that was told counts all the same.
 */
function earliestMs({ dueMs, delayed, deliverAtMs }: Scheduled, { skewMs, clockLagMs }: Evidence): number {
  if (!delayed) return dueMs - skewMs;
  return Math.max(dueMs - 2 * skewMs - clockLagMs, (deliverAtMs ?? Number.NEGATIVE_INFINITY) - skewMs);
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
