// A backup is one file: where it begins it says what it is, then come records, each with its own checksums, and the last
// one vouches for the whole.
//
//   offset  bytes  field
//   0       16     "holdfast-backup" and a newline
//   16      2      format, 1
//   18      4      CRC-32 of the 18 bytes before
//   22             records
//
// A record:
//
//   offset  bytes  field
//   0       1      kind: 1 header, 2 rows, 3 trailer
//   1       4      bytes of the payload
//   5       4      CRC-32 of the 5 bytes before, so that a damaged length is not mistaken for a file that was cut off
//   9              payload
//           4      CRC-32 of the payload
//
// The first record is the header, the last one the trailer, and nothing follows it. Numbers are big-endian.
import { crc32 } from 'node:zlib';

export const magic: Buffer = Buffer.from('holdfast-backup\n');
export const backupFormat = 1;
export const preambleBytes = 22;
export const recordHeadBytes = 9;
export const checkBytes = 4;
export const recordKinds = { header: 1, rows: 2, trailer: 3 } as const;
/** A command and so a row has at most 4 MiB, and a record of rows 256 KiB or one row. Checked before anything is allocated. */
export const maxPayloadBytes: number = 16 * 1024 * 1024;

/** What a backup says about itself. */
export interface BackupHeader {
  /** As the writer gave it. */
  readonly clusterId: string;
  /** By the clock of whoever wrote it, ms since the epoch. */
  readonly createdMs: number;
  readonly applied: { readonly index: number; readonly term: number };
  readonly activeVersion: number;
  readonly epoch: number;
  readonly stateHash: string;
}

const sentences = {
  foreignFile: 'it is no backup',
  newerFormat: 'it was written by a newer build, and needs one to be read',
  truncated: 'it was cut off',
  damaged: 'it is not what was written',
} as const;

export type BackupFault = keyof typeof sentences;

/** The file can not be used. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupFault;
  /** How far it was read. */
  readonly atByte: number;

  constructor(code: BackupFault, atByte: number, what?: string) {
    super(`backup: ${sentences[code]}${what === undefined ? '' : `: ${what}`} (at byte ${atByte})`);
    this.code = code;
    this.atByte = atByte;
  }
}

export function encodePreamble(): Buffer {
  const bytes = Buffer.alloc(preambleBytes);
  magic.copy(bytes);
  bytes.writeUInt16BE(backupFormat, 16);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 18)), 18);
  return bytes;
}

export function encodeRecord(kind: number, payload: Buffer): Buffer {
  const record = Buffer.allocUnsafe(recordHeadBytes + payload.length + checkBytes);
  record.writeUInt8(kind, 0);
  record.writeUInt32BE(payload.length, 1);
  record.writeUInt32BE(crc32(record.subarray(0, 5)), 5);
  payload.copy(record, recordHeadBytes);
  record.writeUInt32BE(crc32(payload), recordHeadBytes + payload.length);
  return record;
}

/**
 *   offset  bytes  field
 *   0       6      created, ms since the epoch
 *   6       6      applied index
 *   12      6      applied term
 *   18      2      active version
 *   20      4      epoch
 *   24      20     state hash
 *   44             cluster id, UTF-8
 */
export function encodeHeader(header: BackupHeader): Buffer {
  const bytes = Buffer.alloc(headerFixedBytes + Buffer.byteLength(header.clusterId));
  bytes.writeUIntBE(header.createdMs, 0, 6);
  bytes.writeUIntBE(header.applied.index, 6, 6);
  bytes.writeUIntBE(header.applied.term, 12, 6);
  bytes.writeUInt16BE(header.activeVersion, 18);
  bytes.writeUInt32BE(header.epoch, 20);
  bytes.write(header.stateHash, 24, 'hex');
  bytes.write(header.clusterId, headerFixedBytes);
  return bytes;
}

const headerFixedBytes = 44;

/** @returns undefined when it is too short */
export function decodeHeader(bytes: Buffer): BackupHeader | undefined {
  if (bytes.length < headerFixedBytes) return undefined;
  return {
    createdMs: bytes.readUIntBE(0, 6),
    applied: { index: bytes.readUIntBE(6, 6), term: bytes.readUIntBE(12, 6) },
    activeVersion: bytes.readUInt16BE(18),
    epoch: bytes.readUInt32BE(20),
    stateHash: bytes.toString('hex', 24, headerFixedBytes),
    clusterId: bytes.toString('utf8', headerFixedBytes),
  };
}

export interface BackupTrailer {
  readonly rows: number;
  /** SHA-256 of everything before the trailer's record. */
  readonly digest: Buffer;
}

const trailerBytes = 38;

/**
 *   offset  bytes  field
 *   0       6      number of rows
 *   6       32     SHA-256 of everything before this record
 */
export function encodeTrailer(trailer: BackupTrailer): Buffer {
  const bytes = Buffer.alloc(trailerBytes);
  bytes.writeUIntBE(trailer.rows, 0, 6);
  trailer.digest.copy(bytes, 6);
  return bytes;
}

/** @returns undefined when it has another length */
export function decodeTrailer(bytes: Buffer): BackupTrailer | undefined {
  if (bytes.length !== trailerBytes) return undefined;
  return { rows: bytes.readUIntBE(0, 6), digest: bytes.subarray(6) };
}
