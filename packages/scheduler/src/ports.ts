// What the scheduler is given. It holds no truth of its own: everything in it can be rebuilt from the store.
import type { Command, CommandKind, CommandOf, Store, VerdictOf } from '@holdfast/store';

export type Proposal<K extends CommandKind> =
  | { readonly kind: 'applied'; readonly verdict: VerdictOf<K> }
  /** It was not applied and never will be. */
  | { readonly kind: 'notApplied'; readonly reason: string }
  | { readonly kind: 'unknown' };

export interface SchedulerPorts {
  readonly store: Pick<Store, 'view' | 'listen' | 'clockMs' | 'releaseFrom'>;
  propose<K extends CommandKind>(command: CommandOf<K> & Command): Promise<Proposal<K>>;
  /** The stamp that an entry would get now, in ms since the epoch: every wake-up is reckoned in it. */
  stampMs(): number;
  /**
   * Answers that run out by then, in ms of cluster time, are as old as they must become, by a clock that does not jump.
   * -Infinity while that is known of none.
   */
  answersAgedMs(): number;
  readonly clock: { monotonicMs(): number; after(delayMs: number, callback: () => void): () => void };
  readonly random: () => number;
  /** Doubt is a function: asked at each handover and each answer from memory. */
  inDoubt(): boolean;
  /** How late each first handover was, in ms; for metrics. */
  onDelivered(topic: number, latenessMs: number): void;
  /** A read failed or an assertion did not hold: the node must stop, since what the scheduler would do next is a guess. */
  onFault(error: unknown): void;
}

export interface ReceiveRequest {
  readonly topic: number;
  readonly group: number;
  /** 16 bytes; serves once. A repeat is marked, and gets the leases that were made for it [H4]. */
  readonly receiveId: Uint8Array;
  readonly repeated: boolean;
  readonly max: number;
  readonly leaseMs: number;
  readonly waitMs: number;
}

export interface Delivery {
  readonly topic: number;
  readonly group: number;
  readonly position: { readonly fireAtMs: number; readonly seq: number };
  readonly token: number;
  readonly attempt: number;
  readonly untilMs: number;
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
}

export type ReceiveAnswer =
  /** Empty when nothing fell due while it waited. */
  | { readonly kind: 'deliveries'; readonly deliveries: readonly Delivery[] }
  /** This leadership ended, or is in doubt: ask another node, marked as a repeat. */
  | { readonly kind: 'tryAnotherNode' }
  | { readonly kind: 'refused'; readonly code: 'tooManyWaiting' | 'groupNotFound' | 'tooManyLeases' };
