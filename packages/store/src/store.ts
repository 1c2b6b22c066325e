// The hull: open, apply, view. Implements what raft asks of a state machine, without knowing raft.
import type { ChangeListener } from './change.ts';
import type { Verdict } from './verdict.ts';
import type { View } from './view.ts';

/** A put, or a delete where `value` is undefined. */
export interface Effect {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export interface Store {
  readonly applied: { readonly index: number; readonly term: number };
  begin(entry: { readonly index: number; readonly term: number; readonly header: Uint8Array }): void;
  /** @param bytes an encoded command (encodeCommand); what cannot be decoded is a refusal */
  command(bytes: Uint8Array): Verdict;
  end(): void;
  readonly pendingBytes: number;
  takeEffects(): readonly Effect[];
  effectsWritten(): void;

  /** Cluster time in ms, and the last seq issued, at the applied index. */
  readonly clockMs: number;
  readonly seq: number;
  readonly epoch: number;
  /** Running hash over each entry's row changes, hex; equal on every replica at an equal applied index. */
  readonly stateHash: string;
  /** Where the current leader's grace ends, and in which term it was begun. */
  readonly releaseFrom: { readonly term: number; readonly fromMs: number };
  view(): View;
  /** At most one listener: the scheduler of this leadership. */
  listen(listener: ChangeListener | undefined): void;
  /**
   * Walks every row: checksums, conservation, no unheld undelivered message at or below a cursor. For tests, the
   * simulator, and `verify`.
   * @returns faults as sentences, empty when all is well
   */
  check(): Promise<readonly string[]>;
}
