// The highest number that was ever given to a generation, and which ones are gone but may still have rows. A number is
// written down before its first row, and never used again, so that rows of an install that was left half-done can not be
// taken for another's; and what is to be swept is known without a look at the rows.
//
//   offset  bytes  field
//   0       4      the highest number
//   4              generations that are to be swept, 4 bytes each
//   -4      4      CRC-32 of what comes before it
//
// Without any to be swept the row is what the first version wrote.
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import { RaftError } from '../raft-error.ts';

/** The generation that a directory is founded with. */
export const firstGeneration = 1;

export interface Generations {
  readonly highest: number;
  /** Every drawn number under which rows may lie, but the one in use. In order. */
  readonly unswept: readonly number[];
}

export function encodeGenerations({ highest, unswept }: Generations): Uint8Array {
  const bytes = Buffer.allocUnsafe(8 + 4 * unswept.length);
  bytes.writeUInt32BE(highest, 0);
  for (const [i, generation] of unswept.entries()) {
    assert(generation <= highest);
    bytes.writeUInt32BE(generation, 4 + 4 * i);
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** @throws RaftError HF_LOG_CORRUPT */
export function decodeGenerations(raw: Uint8Array): Generations {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const isWhole = bytes.length >= 8 && bytes.length % 4 === 0;
  if (!isWhole || bytes.readUInt32BE(bytes.length - 4) !== crc32(bytes.subarray(0, -4))) {
    throw new RaftError('HF_LOG_CORRUPT', 'The row that counts the generations does not match its checksum.');
  }
  const unswept: number[] = [];
  for (let at = 4; at < bytes.length - 4; at += 4) unswept.push(bytes.readUInt32BE(at));
  return { highest: bytes.readUInt32BE(0), unswept };
}
