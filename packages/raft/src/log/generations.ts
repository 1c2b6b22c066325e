// The highest number that was ever given to a generation of the log. It is written before the first row of a generation,
// and a number is never used again, so that rows of one that was left half-done can not be taken for another's.
//
//   offset  bytes  field
//   0       4      the number
//   4       4      CRC-32 of it
import { crc32 } from 'node:zlib';
import { RaftError } from '../raft-error.ts';

/** The generation that a directory is founded with. */
export const firstGeneration = 1;

export function encodeGenerations(highest: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUInt32BE(highest, 0);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 4)), 4);
  return bytes;
}

/** @throws RaftError HF_LOG_CORRUPT */
export function decodeGenerations(raw: Uint8Array): number {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length === 8 && bytes.readUInt32BE(4) === crc32(bytes.subarray(0, 4))) return bytes.readUInt32BE(0);
  throw new RaftError('HF_LOG_CORRUPT', 'The row that counts the generations does not match its checksum.');
}
