// The sum of all rows as one entry changes it, with the savepoint of its commands. What leaves the sum has mostly been
// read by then, because a command looks at what it changes: its value is kept here until the entry ends.

import type { StateHash } from '../../rows/meta-row.ts';
import { bufferOf, type Row } from '../../rows/row.ts';
import { countsValue, RowSum } from '../../rows/row-sum.ts';
import type { Effect } from '../../store.ts';

export class EntrySum {
  readonly rows: RowSum;
  readonly #saved = new RowSum();
  /** Rows of before the entry whose value counts, by key as a latin1 string. */
  readonly #met = new Map<string, Buffer>();

  private constructor(before: Buffer) {
    this.rows = RowSum.from(before);
    this.#saved.set(this.rows);
  }

  /** @returns undefined while no sum is kept */
  static after(hash: StateHash): EntrySum | undefined {
    return hash.kind === 'rows' ? new EntrySum(hash.sum) : undefined;
  }

  /** A row of before the entry, as it was read. */
  met(id: string, key: Buffer, value: Uint8Array): void {
    if (countsValue(key)) this.#met.set(id, bufferOf(value));
  }

  /** @param earlier what the entry has done to this row so far */
  put(id: string, row: Row, earlier: Effect | undefined): void {
    const before = earlier === undefined ? this.#met.get(id) : earlier.value;
    if (before !== undefined) this.rows.subtract(row.key, bufferOf(before));
    this.rows.add(row.key, row.value);
  }

  /** The row stands there: one of which only the key counts need not have been read. */
  remove(id: string, key: Buffer, earlier: Effect | undefined): void {
    const before = earlier === undefined ? this.#met.get(id) : earlier.value;
    this.rows.subtract(key, before === undefined ? undefined : bufferOf(before));
  }

  keep(): void {
    this.#saved.set(this.rows);
  }

  rollBack(): void {
    this.rows.set(this.#saved);
  }
}
