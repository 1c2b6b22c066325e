// Rows on their way from one database to another: as they would be in generation 0, which no database has.
//
// A row's checksum covers its key, and so the generation in which it stands. The sender checks it there, and seals the row
// anew for generation 0; the receiver checks that, and seals it for its own. The key travels without its head.
import { Keyspace } from '../rows/keyspace.ts';

/** The key without its head, the value sealed for generation 0. */
export interface StateRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export const travelling: Keyspace = new Keyspace(0);

/** A consistent state while writes go on. */
export interface StateExport {
  /** Of the last entry that the exported rows hold [P5]; 0 and 0 of a state that nothing was applied to. */
  readonly applied: { readonly index: number; readonly term: number };
  readonly activeVersion: number;
  readonly epoch: number;
  /** As the store has it at that index. */
  readonly stateHash: string;
  /**
   * Rows in order of their keys. Any number of reads may be under way.
   *
   * @param after the last key that the caller has; undefined: from the first row
   * @param maxBytes of keys and values together; a first row that is larger is returned nevertheless
   * @returns `done`: nothing follows `rows`
   * @throws CorruptRow when a row is not what was written
   */
  read(
    after: Uint8Array | undefined,
    maxBytes: number,
  ): Promise<{ readonly rows: readonly StateRow[]; readonly done: boolean }>;
  /** Gives the snapshot back, which keeps deleted rows on the disk until then. A read that is under way fails. */
  close(): Promise<void>;
}
