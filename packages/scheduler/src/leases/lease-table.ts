// The leases that run, as the log told them: by message, by receive id, and by when they end.
import type { Position } from '@holdfast/store';
import type { Group, Lease } from '../group.ts';
import { TimeHeap } from '../wakeups.ts';

/** The receive id as a key of maps. */
export function receiveKeyOf(receiveId: Uint8Array): string {
  return Buffer.from(receiveId.buffer, receiveId.byteOffset, receiveId.byteLength).toString('latin1');
}

export interface LeaseFacts {
  readonly position: Position;
  readonly token: number;
  readonly attempt: number;
  readonly untilMs: number;
  readonly receiveId: Uint8Array;
}

export class LeaseTable {
  /** In order of insertion, so the first one is the oldest. */
  readonly #all = new Set<Lease>();
  readonly #ends = new TimeHeap<Lease>();

  get size(): number {
    return this.#all.size;
  }

  /** The lease that ends first, of those whose end was not taken in hand yet. */
  get firstToEnd(): Lease | undefined {
    return this.#ends.first();
  }

  /** Since when the oldest lease has been known, in cluster time; undefined without leases. */
  get oldestSinceMs(): number | undefined {
    for (const lease of this.#all) return lease.sinceMs;
    return undefined;
  }

  add(group: Group, facts: LeaseFacts, clockMs: number): void {
    this.remove(group, facts.position.seq);
    const lease: Lease = {
      group,
      position: facts.position,
      token: facts.token,
      attempt: facts.attempt,
      receiveKey: receiveKeyOf(facts.receiveId),
      sinceMs: clockMs,
      untilMs: facts.untilMs,
      state: 'running',
      timeMs: 0,
      slot: -1,
    };
    this.#all.add(lease);
    group.leases.set(facts.position.seq, lease);
    const sameReceive = group.leasesByReceive.get(lease.receiveKey);
    if (sameReceive === undefined) group.leasesByReceive.set(lease.receiveKey, [lease]);
    else sameReceive.push(lease);
    this.#ends.set(lease, facts.untilMs);
  }

  extend(group: Group, positionSeq: number, untilMs: number): void {
    const lease = group.leases.get(positionSeq);
    if (lease === undefined) return;
    lease.untilMs = untilMs;
    if (lease.state === 'releasing') lease.state = 'running';
    this.#ends.set(lease, untilMs);
  }

  remove(group: Group, positionSeq: number): void {
    const lease = group.leases.get(positionSeq);
    if (lease === undefined) return;
    group.leases.delete(positionSeq);
    this.#all.delete(lease);
    this.#ends.remove(lease);
    const sameReceive = group.leasesByReceive.get(lease.receiveKey);
    if (sameReceive === undefined) return;
    const others = sameReceive.filter((other) => other !== lease);
    if (others.length === 0) group.leasesByReceive.delete(lease.receiveKey);
    else group.leasesByReceive.set(lease.receiveKey, others);
  }

  removeGroup(group: Group): void {
    for (const positionSeq of group.leases.keys()) this.remove(group, positionSeq);
  }

  /** Its end is looked at again at `timeMs`. */
  putOff(lease: Lease, timeMs: number): void {
    this.#ends.set(lease, timeMs);
  }

  /** Its end is being dealt with: it is named again only by `putBack`. */
  takeEnd(lease: Lease): void {
    lease.state = 'releasing';
    this.#ends.remove(lease);
  }

  /**
   * What was to end it came to nothing: it is looked at again at `timeMs`. One that was extended meanwhile is named already, at its
   * new end. One that was given back meanwhile stays withdrawn, and is named all the same: giving back may come to nothing, too.
   */
  putBack(lease: Lease, timeMs: number): void {
    if (lease.group.leases.get(lease.position.seq) !== lease || lease.slot >= 0) return;
    if (lease.state === 'releasing') lease.state = 'running';
    this.#ends.set(lease, timeMs);
  }

  /** The leases that were made for a receive and may still answer it. */
  ofReceive(group: Group, receiveKey: string): readonly Lease[] {
    return (group.leasesByReceive.get(receiveKey) ?? []).filter((lease) => lease.state === 'running');
  }
}
