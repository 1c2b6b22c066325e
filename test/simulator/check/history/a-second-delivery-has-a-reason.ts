import type { Check } from '../evidence.ts';

/** In true time: what a consumer acknowledged comes no more, and what it holds comes to nobody else before its lease is over. */
export const aSecondDeliveryHasAReason: Check = {
  says: 'a second delivery comes only after a lease ended',
  find({ history, skewMs, patient }) {
    const found: string[] = [];
    const settled = new Map<string, typeof history.settled>();
    for (const record of history.settled) settled.set(record.receipt, [...(settled.get(record.receipt) ?? []), record]);
    const byMessage = new Map<string, typeof history.delivered>();
    for (const delivery of history.delivered) {
      const key = `${delivery.tag} in ${delivery.topic}/${delivery.group}`;
      byMessage.set(key, [...(byMessage.get(key) ?? []), delivery]);
    }
    for (const [key, deliveries] of byMessage) {
      for (const first of deliveries) {
        const ends = settled.get(first.receipt) ?? [];
        const acknowledged = ends.find(({ verb, result }) => verb === 'ack' && result === 'ok');
        const nacked = ends.some(({ verb }) => verb === 'nack');
        const extendedMs = ends.map(({ leasedUntilMs }) => leasedUntilMs ?? Number.NEGATIVE_INFINITY);
        const untilMs = Math.max(first.leasedUntilMs, ...extendedMs);
        for (const second of deliveries) {
          if (second.token <= first.token) continue;
          if (acknowledged !== undefined && second.invokedMs > acknowledged.endedMs)
            found.push(
              `${key} was acknowledged at ${acknowledged.endedMs.toFixed(1)}, and delivered again at ${second.atMs.toFixed(1)}`,
            );
          else if (!nacked && second.atMs + skewMs < untilMs)
            found.push(
              `${key} is leased until ${untilMs.toFixed(1)} with token ${first.token}, and was delivered at ${second.atMs.toFixed(1)} with token ${second.token}`,
            );
          else if (patient)
            found.push(
              `${key} was delivered twice, tokens ${first.token} and ${second.token}, though no lease ran out`,
            );
        }
      }
    }
    return found;
  },
};
