import type { Check } from '../evidence.ts';
import { perhapsEnded } from './perhaps-ended.ts';

/** From the end of all faults a cluster has so long to elect, to build its scheduler and to wait out the grace. */
const recoveryMs = 5_500;
/** With consumers that never walk away even a killed leader costs no more. */
const outageMs = 8_000;

export const everythingDueIsDeliveredInTime: Check = {
  says: 'everything that is due is delivered in time once the faults are over',
  find({ history, mendedMs, endedMs, patient, slackMs, clientLosses }) {
    const firstMs = new Map<string, number>();
    for (const { tag, group, atMs } of history.delivered) {
      const key = `${tag} ${group}`;
      firstMs.set(key, Math.min(firstMs.get(key) ?? atMs, atMs));
    }
    const ended = perhapsEnded(history);
    // An answer that is lost on a connection that stays is missed when the time of the attempt is over, again and again: such
    // losses are no part of an outage, when they begin within it; each moment counts once.
    const patientDeadlineMs = (readyMs: number): number => {
      let [deadlineMs, countedMs] = [readyMs + outageMs, readyMs];
      for (const { fromMs, untilMs } of clientLosses) {
        if (fromMs >= deadlineMs) break;
        const endMs = Math.min(untilMs, mendedMs);
        deadlineMs += Math.max(0, endMs - Math.max(fromMs, countedMs));
        countedMs = Math.max(countedMs, endMs);
      }
      return deadlineMs;
    };
    const found: string[] = [];
    for (const { tag, topic, dueMs, deliverAtMs, endedMs: storedMs, outcome } of history.scheduled.values()) {
      if (outcome !== 'stored' || ended.has(tag)) continue;
      const readyMs = Math.max(deliverAtMs ?? dueMs, storedMs);
      const deadlineMs = patient ? patientDeadlineMs(readyMs) : Math.max(readyMs, mendedMs + recoveryMs) + slackMs;
      // What fell due during the faults may be in the hands of somebody who walked away; it is not lost, says another check.
      if (!patient && readyMs < mendedMs + recoveryMs) continue;
      for (const name of history.groups) {
        const [ofTopic, group] = name.split('/');
        const atMs = firstMs.get(`${tag} ${group}`);
        if (ofTopic === topic && deadlineMs < endedMs && (atMs ?? Number.POSITIVE_INFINITY) > deadlineMs)
          found.push(
            `${tag}, due at ${dueMs.toFixed(1)}, came to ${name} ${atMs === undefined ? 'never' : `at ${atMs.toFixed(1)}`}`,
          );
      }
    }
    return found;
  },
};
