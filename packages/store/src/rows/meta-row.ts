// The one row that says where the state stands. Written with every turn.
import { blankRow, openFormat, type Row, sealRow } from './row.ts';

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
  /** 20 bytes: running SHA-1 over the row changes of each entry. */
  readonly stateHash: Buffer;
}

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
  stateHash: Buffer.alloc(20),
};

const format = 1;
const bytes = 77;

/**
 *   offset  bytes  field
 *   0       1      format, 1
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
 *   57      20     running hash
 *   77      4      CRC-32
 */
export function encodeMeta(key: Buffer, meta: Meta): Row {
  const row = blankRow(key, bytes);
  const { value } = row;
  value.writeUInt8(format, 0);
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
  value.set(meta.stateHash, 57);
  return sealRow(row);
}

/** @throws CorruptRow */
export function decodeMeta(key: Uint8Array, value: Uint8Array): Meta {
  const body = openFormat(key, value, bytes, format);
  return {
    activeVersion: body.readUInt16BE(1),
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
    stateHash: Buffer.from(body.subarray(57, 77)),
  };
}
