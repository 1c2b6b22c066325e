// Rows counted and summed one by one, on a walk over a directory or through a backup.
import { checkRow } from '../rows/check-row.ts';
import type { Meta } from '../rows/meta-row.ts';
import { CorruptRow } from '../rows/row.ts';
import { RowSum } from '../rows/row-sum.ts';

const maxFaults = 100;

export class Tally {
  readonly faults: string[] = [];
  readonly sum = new RowSum();
  rows = 0;
  bytes = 0;

  /** @returns whether it is a row as its table has them; otherwise a fault says what it is */
  add(key: Buffer, value: Buffer): boolean {
    this.rows += 1;
    this.bytes += key.length + value.length;
    try {
      checkRow(key, value);
    } catch (error) {
      if (!(error instanceof CorruptRow)) throw error;
      if (this.faults.length < maxFaults) this.faults.push(error.message);
      return false;
    }
    this.sum.add(key, value);
    return true;
  }

  /** @returns the sum of what stood before rows were summed, hex; undefined below version 2 */
  baseOf({ hash }: Meta): string | undefined {
    return hash.kind === 'rows' ? this.sum.minus(RowSum.from(hash.sum)).bytes().toString('hex') : undefined;
  }
}
