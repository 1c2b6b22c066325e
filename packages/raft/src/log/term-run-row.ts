// A row where a run of entries with one term begins: opening learns all terms from these, without reading the entries.
//
//   offset  bytes  field
//   0       8      index
//   8       8      term
//   16      4      CRC-32 of bytes 0 to 15
import { crc32 } from 'node:zlib';
import { RaftError } from '../raft-error.ts';
import { readSafeInteger, writeSafeInteger } from './safe-integer.ts';
import type { TermRun } from './term-runs.ts';

const rowBytes = 20;

export function encodeTermRun({ index, term }: TermRun): Uint8Array {
  const bytes = Buffer.allocUnsafe(rowBytes);
  writeSafeInteger(bytes, index, 0);
  writeSafeInteger(bytes, term, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 16)), 16);
  return bytes;
}

/**
 * @param keyIndex the index in the row's key
 * @throws RaftError HF_LOG_CORRUPT
 */
export function decodeTermRun(keyIndex: number | undefined, raw: Uint8Array): TermRun {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length === rowBytes && bytes.readUInt32BE(16) === crc32(bytes.subarray(0, 16))) {
    const index = readSafeInteger(bytes, 0);
    const term = readSafeInteger(bytes, 8);
    if (index !== undefined && index === keyIndex && term !== undefined) return { index, term };
  }
  const detail = `The row that says which term begins at index ${keyIndex ?? 'unknown'} does not match its checksum.`;
  throw new RaftError('HF_LOG_CORRUPT', detail, { index: keyIndex });
}
