// The one row that says where the state stands. Written with every turn.
import { newestVersion, StateTooNew, summedSince } from '../version.ts';
import { blankRow, CorruptRow, openRow, type Row, sealRow } from './row.ts';
import { rowSumBytes } from './row-sum.ts';

/** What tells whether two replicas are alike at an equal applied index. */
export type StateHash =
  /** While the active version is 1. 20 bytes: running SHA-1 over the row changes of each entry. */
  | { readonly kind: 'running'; readonly bytes: Buffer }
  /**
   * From then on. The rows that were added since the entry that raised the version, less those that were removed (see
   * row-sum.ts). `isWhole`: there were none before, so that it is the sum of all rows that stand now.
   */
  | { readonly kind: 'rows'; readonly sum: Buffer; readonly isWhole: boolean };

export interface Meta {
  readonly activeVersion: number;
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  readonly clockMs: number;
  /** The last seq issued. */
  readonly seq: number;
  readonly epoch: number;
  /** The last `begin`: in which term, from when on leases may be released, and the grace that it asked for. */
  readonly beginTerm: number;
  readonly releaseFromMs: number;
  readonly graceMs: number;
  /** Ended rows of messages up to this seq may have been collected. */
  readonly horizonSeq: number;
  /** The number of the next topic. */
  readonly nextTopic: number;
  readonly hash: StateHash;
}

const runningBytes = 20;

export const firstMeta: Meta = {
  activeVersion: 1,
  appliedIndex: 0,
  appliedTerm: 0,
  clockMs: 0,
  seq: 0,
  epoch: 1,
  beginTerm: 0,
  releaseFromMs: 0,
  graceMs: 0,
  horizonSeq: 0,
  nextTopic: 1,
  hash: { kind: 'running', bytes: Buffer.alloc(runningBytes) },
};

const fixedBytes = 57;
const formats = { running: 1, rows: 2 } as const;

/**
 *   offset  bytes  field
 *   0       1      format: 1 while the active version is 1, then 2
 *   1       2      active version
 *   3       6      applied index
 *   9       6      applied term
 *   15      6      clock, ms since the epoch
 *   21      6      last seq issued
 *   27      4      epoch of the store
 *   31      6      term of the last begin
 *   37      6      releaseFrom, ms since the epoch
 *   43      4      grace, ms
 *   47      6      horizon of ended rows, a seq
 *   53      4      number of the next topic
 *   57      20     in format 1: running hash
 *   57      16     in format 2: sum of the rows since it began
 *   73      1      in format 2: 1 if there were none before, otherwise 0
 *           4      CRC-32
 */
export function encodeMeta(key: Buffer, meta: Meta): Row {
  const { hash } = meta;
  const row = blankRow(key, fixedBytes + (hash.kind === 'running' ? runningBytes : rowSumBytes + 1));
  const { value } = row;
  value.writeUInt8(formats[hash.kind], 0);
  value.writeUInt16BE(meta.activeVersion, 1);
  value.writeUIntBE(meta.appliedIndex, 3, 6);
  value.writeUIntBE(meta.appliedTerm, 9, 6);
  value.writeUIntBE(meta.clockMs, 15, 6);
  value.writeUIntBE(meta.seq, 21, 6);
  value.writeUInt32BE(meta.epoch, 27);
  value.writeUIntBE(meta.beginTerm, 31, 6);
  value.writeUIntBE(meta.releaseFromMs, 37, 6);
  value.writeUInt32BE(meta.graceMs, 43);
  value.writeUIntBE(meta.horizonSeq, 47, 6);
  value.writeUInt32BE(meta.nextTopic, 53);
  value.set(hash.kind === 'running' ? hash.bytes : hash.sum, fixedBytes);
  if (hash.kind === 'rows') value.writeUInt8(hash.isWhole ? 1 : 0, fixedBytes + rowSumBytes);
  return sealRow(row);
}

/** @throws CorruptRow, StateTooNew */
export function decodeMeta(key: Uint8Array, value: Uint8Array): Meta {
  const body = openRow(key, value, fixedBytes);
  const activeVersion = body.readUInt16BE(1);
  // Before the format: where the version stands is the same in all of them.
  if (activeVersion > newestVersion) throw new StateTooNew(activeVersion);
  return {
    activeVersion,
    appliedIndex: body.readUIntBE(3, 6),
    appliedTerm: body.readUIntBE(9, 6),
    clockMs: body.readUIntBE(15, 6),
    seq: body.readUIntBE(21, 6),
    epoch: body.readUInt32BE(27),
    beginTerm: body.readUIntBE(31, 6),
    releaseFromMs: body.readUIntBE(37, 6),
    graceMs: body.readUInt32BE(43),
    horizonSeq: body.readUIntBE(47, 6),
    nextTopic: body.readUInt32BE(53),
    hash: readHash(key, body, activeVersion),
  };
}

function readHash(key: Uint8Array, body: Buffer, activeVersion: number): StateHash {
  const format = body[0];
  const bytes = Buffer.from(body.subarray(fixedBytes));
  if (activeVersion < summedSince && format === formats.running && bytes.length === runningBytes)
    return { kind: 'running', bytes };
  const whole = bytes[rowSumBytes];
  if (
    activeVersion < summedSince ||
    format !== formats.rows ||
    bytes.length !== rowSumBytes + 1 ||
    whole === undefined ||
    whole > 1
  )
    throw new CorruptRow(key, `format ${format} with ${body.length} bytes at active version ${activeVersion}`);
  return { kind: 'rows', sum: bytes.subarray(0, rowSumBytes), isWhole: whole === 1 };
}
