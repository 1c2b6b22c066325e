// Walk 12/15: due rows and waiting receives become ONE lease command. From scheduler/scheduler.ts, on to store/apply/lease.ts.
import type { LeaseCommand, Position, ReceiveRef } from '@holdfast/store';
import type { Group, Waiter } from '../group.ts';

export interface Picked {
  readonly command: LeaseCommand;
  /** In the order of the command's `receives`. */
  readonly waiters: readonly Waiter[];
  readonly rows: number;
}

/**
 * Takes what is due out of the group's windows and deals it to the waiters in their order.
 *
 * `to` is the last lane position that is named. It is at or below the applied clock, and every position between `from`
 * and it is named (invariant W); what an entry in flight inserts lands at or above the clock with a later seq, so above
 * it [H1, P8].
 *
 * @param clockMs the applied clock, never a stamp @param maxRows at least 1
 * @returns undefined when nothing is due or nobody waits
 */
export function pick(group: Group, waiters: Iterable<Waiter>, clockMs: number, maxRows: number): Picked | undefined {
  const from = group.upcoming.from;
  const served: Waiter[] = [];
  const receives: ReceiveRef[] = [];
  const lane: { position: Position; receive: number }[] = [];
  const retries: { position: Position; retryAtMs: number; retrySeq: number; receive: number }[] = [];
  let rows = 0;
  for (const waiter of waiters) {
    const last = Math.min(maxRows, rows + waiter.request.max);
    const before = rows;
    while (rows < last) {
      const row = group.upcoming.take(clockMs);
      if (row === undefined) break;
      const receive = served.length;
      if (row.kind === 'lane') lane.push({ position: row.position, receive });
      else retries.push({ position: row.position, retryAtMs: row.retryAtMs, retrySeq: row.retrySeq, receive });
      rows++;
    }
    if (rows === before) break;
    served.push(waiter);
    receives.push({ receiveId: waiter.request.receiveId, leaseMs: waiter.request.leaseMs });
  }
  if (rows === 0) return undefined;
  const to = lane.at(-1)?.position;
  const cursor = to === undefined ? undefined : { from, to };
  return {
    command: { kind: 'lease', topic: group.topic, group: group.number, cursor, receives, lane, retries },
    waiters: served,
    rows,
  };
}
