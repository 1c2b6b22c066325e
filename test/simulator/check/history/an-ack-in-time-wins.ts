import type { Check } from '../evidence.ts';

/** A consumer has a moment of doubt about its own clock, and its request a way to go. */
const inTimeMs = 100;

/** Within its lease, and repeated until somebody answers: the grace after a change of leader is there for it. */
export const anAckInTimeWins: Check = {
  says: 'what was acknowledged in time is delivered once, whoever leads',
  find({ history, acksReach, skewMs }) {
    if (!acksReach) return [];
    const found: string[] = [];
    // Of several for one receipt the first.
    const acks = new Map(
      history.settled
        .filter(({ verb }) => verb === 'ack')
        .toReversed()
        .map((ack) => [ack.receipt, ack]),
    );
    for (const first of history.delivered) {
      const ack = acks.get(first.receipt);
      if (ack === undefined || ack.invokedMs > first.leasedUntilMs - skewMs - inTimeMs) continue;
      const second = history.delivered.find(
        ({ tag, group, token, atMs }) =>
          tag === first.tag && group === first.group && token > first.token && atMs > ack.invokedMs,
      );
      if (second !== undefined)
        found.push(
          `${first.tag}, leased until ${first.leasedUntilMs.toFixed(1)}, was acknowledged at ${ack.invokedMs.toFixed(1)}, and came again at ${second.atMs.toFixed(1)}`,
        );
    }
    return found;
  },
};
