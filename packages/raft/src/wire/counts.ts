// What the transport dropped, refused or lost, counted by reason: the only trace that a stranger leaves.
import type { BreakReason } from './frame.ts';
import type { RefusalReason } from './handshake.ts';

export type CountName =
  | `broken.${BreakReason}`
  | 'broken.handshake'
  | 'broken.message'
  | 'broken.order'
  | `refused.${RefusalReason}`
  | 'refused.process'
  | 'refusedByPeer'
  | 'strangers.tooMany'
  | 'strangers.tooSlow'
  | 'dropped.notConnected'
  | 'dropped.queueFull'
  | 'dropped.tooLarge'
  | 'connects'
  | 'lost.reset'
  | 'lost.silent'
  | 'lost.dead';

export class Counts {
  readonly #counts = new Map<string, number>();

  count(name: CountName): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get all(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
