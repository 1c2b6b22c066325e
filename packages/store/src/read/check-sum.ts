// Whether the rows that stand are the rows that were put and not deleted: their sum against the one that apply kept.
import { bufferOf } from '../rows/row.ts';
import { countedTables, RowSum } from '../rows/row-sum.ts';
import type { ViewParts } from './snapshot-view.ts';
import { walk } from './walk.ts';

/** Says nothing where rows stood before the sum was begun: then it is equal on all replicas, and no walk tells it. */
export async function checkSum(parts: ViewParts, say: (what: string) => void): Promise<void> {
  const { hash } = parts.meta;
  if (hash.kind !== 'rows' || !hash.isWhole) return;
  const sum = new RowSum();
  for (const table of countedTables) {
    for await (const [key, value] of walk(parts, parts.keys.wholeTable(table))) sum.add(key, bufferOf(value));
  }
  if (!sum.bytes().equals(hash.sum)) say('the sum of all rows is not the one that was kept while they were applied');
}
