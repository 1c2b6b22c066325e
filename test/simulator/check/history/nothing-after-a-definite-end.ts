import type { Check } from '../evidence.ts';

/** After `cancelled` nobody ever has it; after `stopped` no receive that began later gets it. */
export const nothingAfterADefiniteEnd: Check = {
  says: 'nothing is delivered after its cancel was answered',
  find({ history }) {
    const found: string[] = [];
    for (const { tag, verdict, endedMs } of history.cancelled) {
      if (verdict !== 'cancelled' && verdict !== 'stopped') continue;
      for (const delivery of history.delivered) {
        if (delivery.tag !== tag) continue;
        // A group that was deleted counts no longer: what it had been handed may still be cancelled for the others.
        const counts = history.groups.has(`${delivery.topic}/${delivery.group}`);
        if (verdict === 'cancelled' && counts)
          found.push(`${tag} was cancelled, and was delivered to ${delivery.group} at ${delivery.atMs.toFixed(1)}`);
        else if (delivery.invokedMs > endedMs)
          found.push(
            `${tag} was stopped at ${endedMs.toFixed(1)}, and a receive that began at ${delivery.invokedMs.toFixed(1)} got it`,
          );
      }
    }
    return found;
  },
};
