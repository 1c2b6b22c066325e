// The only scan: a range of one table, LevelDB's snapshot and the layers merged in order of their keys.
import type { KeyRange } from '../rows/keyspace.ts';
import { bufferOf } from '../rows/row.ts';
import type { Snapshot, StateReader } from '../state-reader.ts';
import type { Effect } from '../store.ts';
import type { Layer } from './layers.ts';

export interface ScanSource {
  readonly database: StateReader;
  readonly snapshot: Snapshot;
  /** Sealed, oldest first. */
  readonly layers: readonly Layer[];
}

export interface ScannedRow {
  readonly key: Buffer;
  /** Undefined in a scan without values. */
  readonly value: Uint8Array | undefined;
}

/** Rows that are read from the database at once. */
const chunkRows = 256;

/** @returns the first `limit` rows of the range, in order */
export async function scan(
  source: ScanSource,
  range: KeyRange,
  options: { readonly limit: number; readonly values: boolean },
): Promise<readonly ScannedRow[]> {
  const found: ScannedRow[] = [];
  if (options.limit <= 0 || Buffer.compare(range.from, range.to) > 0) return found;
  const pending = pendingRows(source.layers, range);
  let next = 0;
  /** Takes over what stands in the layers below `id`. */
  const takePending = (id: string | undefined): void => {
    for (let effect = pending[next]; effect !== undefined && found.length < options.limit; effect = pending[next]) {
      if (id !== undefined && effect.id >= id) return;
      if (effect.value !== undefined) found.push({ key: bufferOf(effect.key), value: effect.value });
      next += 1;
    }
  };

  const { values } = options;
  const iterator = source.database.iterator({ gte: range.from, lte: range.to, values, snapshot: source.snapshot });
  try {
    while (found.length < options.limit) {
      const rows = await iterator.nextv(Math.min(chunkRows, options.limit));
      if (rows.length === 0) break;
      for (const [bytes, value] of rows) {
        const key = bufferOf(bytes);
        const id = key.toString('latin1');
        takePending(id);
        if (found.length >= options.limit) break;
        // Written again since, or deleted: the layer's row comes next, or was a delete.
        if (pending[next]?.id === id) continue;
        found.push({ key, value });
      }
    }
  } finally {
    await iterator.close();
  }
  takePending(undefined);
  return found;
}

interface PendingRow extends Effect {
  readonly id: string;
}

/** The newest effect of each key in the range, in order. */
function pendingRows(layers: readonly Layer[], range: KeyRange): readonly PendingRow[] {
  const from = range.from.toString('latin1');
  const to = range.to.toString('latin1');
  const byId = new Map<string, PendingRow>();
  let touched = 0;
  for (const layer of layers) {
    const ids = layer.sorted(range.table);
    const before = byId.size;
    for (let index = firstAtOrAbove(ids, from); index < ids.length; index += 1) {
      const id = ids[index];
      if (id === undefined || id > to) break;
      const effect = layer.rows.get(id);
      if (effect !== undefined) byId.set(id, { id, key: effect.key, value: effect.value });
    }
    if (byId.size > before) touched += 1;
  }
  const rows = [...byId.values()];
  // The rows of a single layer are in order already.
  return touched > 1 ? rows.sort((a, b) => (a.id < b.id ? -1 : 1)) : rows;
}

function firstAtOrAbove(ids: readonly string[], from: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? '') < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
