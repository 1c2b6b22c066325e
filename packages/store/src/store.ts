// The hull: open, apply, view. Implements what raft asks of a state machine, without knowing raft.
import type { ChangeListener } from './change.ts';
import type { StateExport, StateRow } from './transfer/row.ts';
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

  /** Of what is written, as it is at this moment: `applied` of the export may be below the store's own. */
  exportState(): StateExport;
  /**
   * What a transfer brought, as rows of a generation that is not in force yet.
   *
   * @param rows as an export gave them, in their order
   * @throws CorruptRow when one of them is not what was exported
   */
  importRows(generation: number, rows: readonly StateRow[]): readonly Effect[];
  /**
   * After it is durable that `generation` is in force: the store goes on with its rows. What was applied and not
   * written is thrown away. Views and exports that were taken before stay as they are until they are closed; new ones
   * are of the state before until the promise resolves, so its rows may go only then. No entry may be open, and every
   * turn that took effects must have been told as written.
   *
   * @throws CorruptRow when a row is damaged, or the first or last of them missing; the store is as it was
   */
  adopt(generation: number): Promise<void>;

  /** Cluster time in ms, and the last seq issued, at the applied index. */
  readonly clockMs: number;
  readonly seq: number;
  readonly epoch: number;
  /** The version that all members understand: rows and commands of a later one do not occur. */
  readonly activeVersion: number;
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
