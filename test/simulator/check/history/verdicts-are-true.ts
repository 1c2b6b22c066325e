import type { Cancelled } from '../../work/history.ts';
import type { Check } from '../evidence.ts';

/** A cancel says how a message ended. Once it has ended, every later cancel says the same. */
export const verdictsAreTrue: Check = {
  says: 'a verdict about a message is true, and stays',
  find({ history }) {
    const found: string[] = [];
    const definite = new Set(['cancelled', 'stopped', 'delivered']);
    const byTag = new Map<string, typeof history.cancelled>();
    for (const cancel of firstOfTheirKeys(history.cancelled))
      byTag.set(cancel.tag, [...(byTag.get(cancel.tag) ?? []), cancel]);
    const ackedMs = new Map<string, number>();
    for (const { verb, receipt, invokedMs } of history.settled) {
      if (verb === 'ack') ackedMs.set(receipt, Math.min(invokedMs, ackedMs.get(receipt) ?? invokedMs));
    }
    for (const [tag, cancels] of byTag) {
      for (const { verdict, invokedMs, endedMs } of cancels) {
        if (verdict === 'notFound' || verdict === 'forgotten' || verdict === 'skipped')
          found.push(`${tag} exists, and a cancel at ${invokedMs.toFixed(1)} was told ${verdict}`);
        const first = cancels.find((other) => definite.has(other.verdict) && other.endedMs < invokedMs);
        if (first !== undefined && definite.has(verdict) && verdict !== first.verdict)
          found.push(
            `${tag} was ${first.verdict} at ${first.endedMs.toFixed(1)}, and ${verdict} at ${endedMs.toFixed(1)}`,
          );
        if (first !== undefined && verdict === 'leased')
          found.push(`${tag} was ${first.verdict} at ${first.endedMs.toFixed(1)}, and leased at ${endedMs.toFixed(1)}`);
        const acked = history.delivered.some(
          (one) => one.tag === tag && (ackedMs.get(one.receipt) ?? endedMs) < endedMs,
        );
        if (verdict === 'delivered' && !acked)
          found.push(`${tag} was told delivered at ${endedMs.toFixed(1)}, and nobody had acknowledged it`);
      }
    }
    return found;
  },
};

/** A repeat says what was true when its key came first; that it says so is another check's. */
function firstOfTheirKeys(cancels: readonly Cancelled[]): readonly Cancelled[] {
  return cancels.filter(
    ({ key, invokedMs }) =>
      key === undefined || !cancels.some((other) => other.key === key && other.invokedMs < invokedMs),
  );
}
