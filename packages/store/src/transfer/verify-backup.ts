// A backup, walked like a directory: its file is whole, its rows are rows, and their sum is the one that was kept.

import { tableOffset, tables } from '../rows/keyspace.ts';
import { decodeMeta, type Meta } from '../rows/meta-row.ts';
import { bufferOf } from '../rows/row.ts';
import { stateHashOf } from '../state-hash.ts';
import { type BackupHeader } from './backup-format.ts';
import { readBackup } from './backup-read.ts';
import { travelling } from './row.ts';
import { Tally } from './tally.ts';

export interface VerifiedBackup {
  readonly header: BackupHeader;
  readonly rows: number;
  readonly bytes: number;
  /** As of a directory: see VerifiedState. */
  readonly base: string | undefined;
  readonly isWhole: boolean;
  /** Sentences; none when all is well. What only a directory can be asked (conservation) is asked of a restored one. */
  readonly faults: readonly string[];
}

/** @throws BackupError when the file can not be read to its end; StateTooNew */
export async function verifyBackup(source: AsyncIterable<Uint8Array>): Promise<VerifiedBackup> {
  const { header, chunks } = await readBackup(source);
  const tally = new Tally();
  let meta: Meta | undefined;
  let before: Buffer | undefined;
  let isInOrder = true;
  for await (const rows of chunks) {
    for (const row of rows) {
      const key = travelling.withHead(row.key);
      const value = bufferOf(row.value);
      const isSound = tally.add(key, value);
      if (isSound && key[tableOffset] === tables.meta) meta = decodeMeta(key, value);
      isInOrder &&= before === undefined || Buffer.compare(before, key) < 0;
      before = key;
    }
  }
  const faults = [...tally.faults];
  if (!isInOrder) faults.push('its rows are not in order');
  if (tally.rows > 0 && before?.[tableOffset] !== tables.fence) faults.push('its last row is missing');
  if (meta === undefined ? tally.rows > 0 : !isOf(header, meta)) faults.push('its header tells of another state');
  const base = meta === undefined ? undefined : tally.baseOf(meta);
  const isWhole = meta?.hash.kind === 'rows' && meta.hash.isWhole;
  if (isWhole && base !== noRows)
    faults.push('the sum of all rows is not the one that was kept while they were applied');
  return { header, rows: tally.rows, bytes: tally.bytes, base, isWhole, faults };
}

const noRows = '0'.repeat(32);

function isOf(header: BackupHeader, meta: Meta): boolean {
  const { applied, activeVersion, epoch, stateHash } = header;
  return (
    applied.index === meta.appliedIndex &&
    applied.term === meta.appliedTerm &&
    activeVersion === meta.activeVersion &&
    epoch === meta.epoch &&
    stateHash === stateHashOf(meta)
  );
}
