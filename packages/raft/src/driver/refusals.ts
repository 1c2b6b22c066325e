// What was refused, delayed or dropped, counted by the name of the bound.

import type { SnapshotCount } from '../snapshot/snapshots.ts';

export type RefusalName =
  | 'maxCommandBytes'
  | 'maxWaitingProposals'
  | 'maxWaitingBytes'
  | 'maxUncommittedBytes'
  | 'maxApplyLagMs'
  | 'maxPendingEffectsBytes'
  | 'diskStallMs'
  | 'notFounded'
  | 'notAdmitted'
  | 'notCounted'
  | 'refusedPeer'
  | 'refusedByPeer'
  | 'refusalOfAnother'
  | 'brokenControl'
  /** Of a newer build. */
  | 'unknownControl'
  | SnapshotCount;

export class Refusals {
  readonly #counts = new Map<string, number>();

  count(name: RefusalName): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
