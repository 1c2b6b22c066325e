// Every row of a range, in order, a bounded number of them in memory at once.
import type { KeyRange } from '../rows/keyspace.ts';
import { CorruptRow } from '../rows/row.ts';
import { type ScanSource, scan } from './scan.ts';

/** With their bodies, which may have a MiB each. */
const chunkRows = 100;
const nothing = new Uint8Array();

/** @param values false: the caller has no use for them, and gets empty ones */
export async function* walk(
  source: ScanSource,
  range: KeyRange,
  values = true,
): AsyncGenerator<readonly [key: Buffer, value: Uint8Array]> {
  let from = range.from;
  for (;;) {
    const rows = await scan(source, { ...range, from }, { limit: chunkRows, values });
    for (const { key, value } of rows) {
      if (value === undefined && values) throw new CorruptRow(key, 'the database gave no value');
      yield [key, value ?? nothing];
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < chunkRows) return;
    from = Buffer.concat([last.key, Buffer.of(0)]);
  }
}
