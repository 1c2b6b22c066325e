// A piece of a state on its way: rows in order, and which request it answers, so that a late or repeated one is told
// from the one that is waited for. It has a checksum of its own: rows go from one disk to another with it.
//
//   offset  bytes  field
//   0       1      format, 1
//   1       1      1: nothing follows it
//   2       2      bytes of the key behind which it begins, 65535: it begins at the first row
//   4       8      the export
//   12      4      number of rows
//   16      4      CRC-32 of everything else
//   20             that key; then for each row 2 bytes and 4 bytes of length, key and value
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import { readSafeInteger, writeSafeInteger } from '../log/safe-integer.ts';
import type { StateRow } from '../state-machine.ts';

export interface Chunk {
  readonly exportId: number;
  readonly after: Uint8Array | undefined;
  readonly rows: readonly StateRow[];
  readonly done: boolean;
}

const format = 1;
const headBytes = 20;
const rowHeadBytes = 6;
const fromTheStart = 0xffff;
/** Of a row's key. */
export const maxKeyBytes = fromTheStart - 1;
const checksumAt = 16;

export function encodeChunk({ exportId, after, rows, done }: Chunk): Uint8Array {
  let size = headBytes + (after?.length ?? 0);
  for (const { key, value } of rows) size += rowHeadBytes + key.length + value.length;
  const bytes = Buffer.allocUnsafe(size);
  assert((after?.length ?? 0) <= maxKeyBytes, 'a key is too long');
  bytes.writeUInt8(format, 0);
  bytes.writeUInt8(done ? 1 : 0, 1);
  bytes.writeUInt16BE(after?.length ?? fromTheStart, 2);
  writeSafeInteger(bytes, exportId, 4);
  bytes.writeUInt32BE(rows.length, 12);
  if (after !== undefined) bytes.set(after, headBytes);
  let at = headBytes + (after?.length ?? 0);
  for (const { key, value } of rows) {
    bytes.writeUInt16BE(key.length, at);
    bytes.writeUInt32BE(value.length, at + 2);
    bytes.set(key, at + rowHeadBytes);
    bytes.set(value, at + rowHeadBytes + key.length);
    at += rowHeadBytes + key.length + value.length;
  }
  bytes.writeUInt32BE(checksumOf(bytes), checksumAt);
  return bytes;
}

/** The chunk, its rows as views into the bytes; undefined when the bytes hold none, or a damaged one. */
export function decodeChunk(raw: Uint8Array): Chunk | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length < headBytes || bytes.readUInt8(0) !== format || bytes.readUInt8(1) > 1) return undefined;
  if (bytes.readUInt32BE(checksumAt) !== checksumOf(bytes)) return undefined;
  const exportId = readSafeInteger(bytes, 4);
  if (exportId === undefined) return undefined;
  const afterBytes = bytes.readUInt16BE(2);
  let at = headBytes + (afterBytes === fromTheStart ? 0 : afterBytes);
  if (at > bytes.length) return undefined;
  const after = afterBytes === fromTheStart ? undefined : bytes.subarray(headBytes, at);
  const rows: StateRow[] = [];
  for (let left = bytes.readUInt32BE(12); left > 0; left--) {
    if (at + rowHeadBytes > bytes.length) return undefined;
    const valueAt = at + rowHeadBytes + bytes.readUInt16BE(at);
    const end = valueAt + bytes.readUInt32BE(at + 2);
    if (end > bytes.length) return undefined;
    rows.push({ key: bytes.subarray(at + rowHeadBytes, valueAt), value: bytes.subarray(valueAt, end) });
    at = end;
  }
  return at === bytes.length ? { exportId, after, rows, done: bytes.readUInt8(1) === 1 } : undefined;
}

function checksumOf(bytes: Buffer): number {
  return crc32(bytes.subarray(headBytes), crc32(bytes.subarray(0, checksumAt)));
}
