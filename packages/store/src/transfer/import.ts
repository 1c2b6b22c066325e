// Rows that came from elsewhere, made rows of a generation of this database. Nothing is believed: a row that does not pass
// is refused here, and never becomes one of the state's.
import { checkRow } from '../rows/check-row.ts';
import type { Keyspace } from '../rows/keyspace.ts';
import { CorruptRow, moveRow, type Row } from '../rows/row.ts';
import { type StateRow, travelling } from './row.ts';

/**
 * @param rows in order of their keys, as an export gave them
 * @param after the key of the row before the first, where the caller knows it
 * @throws CorruptRow
 */
export function importRows(keys: Keyspace, rows: readonly StateRow[], after?: Uint8Array): readonly Row[] {
  let before = after;
  return rows.map(({ key, value }) => {
    const sealedKey = travelling.withHead(key);
    if (before !== undefined && Buffer.compare(before, key) >= 0)
      throw new CorruptRow(sealedKey, 'does not follow the row before it');
    before = key;
    checkRow(sealedKey, value);
    return moveRow(keys.withHead(key), value);
  });
}
