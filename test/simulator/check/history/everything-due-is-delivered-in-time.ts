import type { Check } from '../evidence.ts';

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
    const ended = new Set(
      history.cancelled.filter(({ verdict }) => verdict !== 'leased' && verdict !== 'delivered').map(({ tag }) => tag),
    );
    // An answer that is lost on a connection that stays is missed when the time of the attempt is over, again and again.
    const lostMs = (fromMs: number): number =>
      clientLosses.reduce(
        (sum, loss) => sum + Math.max(0, Math.min(loss.untilMs, mendedMs) - Math.max(loss.fromMs, fromMs)),
        0,
      );
    const found: string[] = [];
    for (const { tag, topic, dueMs, deliverAtMs, endedMs: storedMs, outcome } of history.scheduled.values()) {
      if (outcome !== 'stored' || ended.has(tag)) continue;
      const readyMs = Math.max(deliverAtMs ?? dueMs, storedMs);
      const fromMs = patient ? readyMs : Math.max(readyMs, mendedMs + recoveryMs);
      const deadlineMs = fromMs + (patient ? outageMs + lostMs(fromMs) : slackMs);
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
