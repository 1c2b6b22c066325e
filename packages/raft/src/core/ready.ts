// What the core wants done. The driver's duty, in this order:
//
//   1. send `messages` at once (they depend on nothing that is not on disk already);
//   2. if `write` is there: write it in ONE synced batch (only one write may be in flight), then send its
//      `messagesAfterWrite`, then tell the core: advance({ kind: 'written', ... });
//   3. apply `committed`, in order, and tell the core: advance({ kind: 'applied', ... }).
//
// While a write is in flight the driver calls ready({ canWrite: false }): everything that needs the disk stays in the
// core until the next call with canWrite: true, so a slow disk never holds up a heartbeat.

import type { Configuration } from './membership/configuration.ts';
import type { Entry, Message, NodeId } from './message.ts';

/** Durable before any message that depends on it. Thesis figure 3.1: currentTerm and votedFor. */
export interface HardState {
  readonly term: number;
  readonly vote: NodeId | undefined;
}

/** A state that lies on this disk beside the one in use, whole, and takes its place. */
export interface Restore {
  /** The last entry that is in it. */
  readonly index: number;
  readonly term: number;
  /** In force at `index`. */
  readonly configuration: Configuration;
  /** Under which number it lies there. */
  readonly generation: number;
}

/** One atomic, synced write. */
export interface Write {
  readonly hardState: HardState | undefined;
  /** The first index to remove, before `entries` are added; undefined when nothing conflicts. */
  readonly truncateFrom: number | undefined;
  readonly entries: readonly Entry[];
  /**
   * Log and state become those of this generation: the log is empty behind its index. Comes when everything that was
   * given out is applied, and with neither truncation nor entries.
   */
  readonly restore: Restore | undefined;
  /** Votes, append acknowledgements: what claims that something is on this disk. */
  readonly messagesAfterWrite: readonly Message[];
}

/** The answer to one `readIndex`. */
export type ReadState =
  /** A read of the state sees everything that was committed when it was asked for, once `index` is applied. */
  | { readonly context: number; readonly kind: 'ready'; readonly index: number }
  /** The leader was lost, hands over, or did not answer in time. Ask again. */
  | { readonly context: number; readonly kind: 'failed' };

/**
 * What is to be done now, each thing once: `messages` leave at once; then `write`; then what is `committed` is applied. The
 * numbered list at the head of ready.ts says why the order matters, and what breaks otherwise.
 */
export interface Ready {
  readonly messages: readonly Message[];
  readonly write: Write | undefined;
  /** Newly committed, durable here, and not given out before; at most `maxApplyBytes` of them a call. */
  readonly committed: readonly Entry[];
  readonly readStates: readonly ReadState[];
  /**
   * Followers that need entries which this leader's log does not hold any more: each is to be sent the state, and then
   * `snapshotInstalled` is called. Named again with every election timeout, while it answers and still needs it.
   */
  readonly snapshotsFor: readonly NodeId[];
}

/** What of an earlier Ready is done. Each write is reported once, and entries in order; the last one of several is enough. */
export type Receipt =
  /** The write, with this last entry, is durable; 0, 0 when it held no entries. */
  | { readonly kind: 'written'; readonly lastIndex: number; readonly lastTerm: number }
  | { readonly kind: 'applied'; readonly index: number };
