// A backup becomes the state of a new cluster. Its epoch is another one, so that ids, receipts and cursors that were given
// out before the backup, or after it by the cluster that went on, name nothing in it: the same seqs are issued once more,
// for other messages.
import { encodeMark } from '../rows/ended-row.ts';
import { Keyspace, tableOffset, tables } from '../rows/keyspace.ts';
import { decodeMeta, encodeMeta, firstMeta, type Meta } from '../rows/meta-row.ts';
import { CorruptRow, type Row } from '../rows/row.ts';
import { RowSum } from '../rows/row-sum.ts';
import type { Effect } from '../store.ts';
import { summedSince } from '../version.ts';
import type { Backup } from './backup-read.ts';
import { importRows } from './import.ts';

export interface RestoreTarget {
  /** Of a new directory: 1. */
  readonly generation: number;
  /** Above the backup's, below 2^32, and never used by a cluster that was restored from it before: seconds since 1970 do. */
  readonly epoch: number;
  /** Where the new cluster's log begins: the index and the term of the entry before its first. */
  readonly applied: { readonly index: number; readonly term: number };
}

/**
 * Rows to be written, in batches of about 256 KiB. The last batch alone makes a state of them: it is given out when the
 * whole backup was found to be sound.
 *
 * @throws BackupError, CorruptRow; StateTooNew for a backup of a later version; RangeError for an epoch that is not above
 */
export async function* restoreRows(backup: Backup, target: RestoreTarget): AsyncGenerator<readonly Effect[]> {
  const { epoch } = target;
  if (epoch <= backup.header.epoch || epoch >= 2 ** 32)
    throw new RangeError(`epoch ${epoch} is not above ${backup.header.epoch}, or too large`);
  const keys = new Keyspace(target.generation);
  const sum = new RowSum();
  let meta: Meta | undefined;
  let last: Uint8Array | undefined;
  for await (const chunk of backup.chunks) {
    const rows = importRows(keys, chunk, last);
    if (last === undefined) meta = metaOf(keys, rows[0]);
    last = chunk.at(-1)?.key ?? last;
    for (const { key, value } of rows) sum.add(key, value);
    yield rows.filter(({ key }) => !isEnd(key));
  }
  if (last !== undefined && (meta === undefined || last[0] !== tables.fence))
    throw new CorruptRow(last, 'its state lacks its first row or its last');
  yield [encodeMark(keys.single('fence')), encodeMeta(keys.single('meta'), restored(meta ?? firstMeta, target, sum))];
}

/** The first row and the last: without them no directory opens. */
function isEnd(key: Buffer): boolean {
  return key[tableOffset] === tables.meta || key[tableOffset] === tables.fence;
}

function metaOf(keys: Keyspace, first: Row | undefined): Meta | undefined {
  return first?.key.equals(keys.single('meta')) === true ? decodeMeta(first.key, first.value) : undefined;
}

function restored(meta: Meta, { epoch, applied }: RestoreTarget, sum: RowSum): Meta {
  const { hash } = meta;
  return {
    ...meta,
    epoch,
    appliedIndex: applied.index,
    appliedTerm: applied.term,
    // A begin of the cluster before is none of this one's, though its terms begin again: releases wait for a new one.
    beginTerm: 0,
    // Whoever restores knows that version.
    activeVersion: Math.max(meta.activeVersion, summedSince),
    // A sum that was kept from the first row on stays: if rows had been lost before the backup, they are still missed.
    hash: hash.kind === 'rows' && hash.isWhole ? hash : { kind: 'rows', sum: sum.bytes(), isWhole: true },
  };
}
