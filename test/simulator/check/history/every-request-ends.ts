import type { Check } from '../evidence.ts';

/** Whoever asked before the faults were over may wait for an answer that was lost: within this time it asks again and is told. */
const answeredMs = 12_000;

/** With an answer, or with an error: nobody waits for ever. */
export const everyRequestEnds: Check = {
  says: 'every request ends',
  find({ history, endedMs, mendedMs }) {
    const isLeft = ({ invokedMs }: { readonly invokedMs: number }): boolean =>
      Math.max(invokedMs, mendedMs) < endedMs - answeredMs;
    const told = (what: string, { invokedMs }: { readonly invokedMs: number }): string =>
      `${what}, asked for at ${invokedMs.toFixed(1)}, had not ended at ${endedMs.toFixed(1)}`;
    return [
      ...[...history.scheduled.values()]
        .filter((one) => one.outcome === 'pending' && isLeft(one))
        .map((one) => told(`the schedule of ${one.tag}`, one)),
      ...history.cancelled
        .filter((one) => one.verdict === 'pending' && isLeft(one))
        .map((one) => told(`a cancel of ${one.tag}`, one)),
      ...history.settled
        .filter((one) => one.result === 'pending' && isLeft(one))
        .map((one) => told(`${one.verb} of ${one.receipt}`, one)),
      ...history.groupChanges
        .filter((one) => one.endedMs === Number.POSITIVE_INFINITY && isLeft(one))
        .map((one) => told(`${one.kind} ${one.group}`, one)),
    ];
  },
};
