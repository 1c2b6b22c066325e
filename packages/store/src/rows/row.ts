// What all rows have in common. Every value ends in a CRC-32 over its key and itself: LevelDB does not verify the
// checksums of its blocks when it reads, and hands out flipped bits as values. A wrong one stops the node.
import { crc32 } from 'node:zlib';

/** A row that is to be put. Key and value lie in one piece of memory, and are never written again. */
export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

export const checksumBytes = 4;

/** The row differs from what was written, or is of a format that this version does not know. Fatal to the node. */
export class CorruptRow extends Error {
  override readonly name = 'CorruptRow';
  readonly code = 'corruptRow';
  readonly key: string;

  constructor(key: Uint8Array, what: string) {
    const hex = Buffer.from(key).toString('hex');
    super(`row ${hex}: ${what}`);
    this.key = hex;
  }
}

/** @returns a row of which the first `valueBytes` of the value are to be filled in, before it is sealed */
export function blankRow(key: Buffer, valueBytes: number): Row {
  const bytes = Buffer.allocUnsafe(key.length + valueBytes + checksumBytes);
  bytes.set(key);
  return { key: bytes.subarray(0, key.length), value: bytes.subarray(key.length) };
}

export function sealRow(row: Row): Row {
  const at = row.value.length - checksumBytes;
  row.value.writeUInt32BE(crc32(row.value.subarray(0, at), crc32(row.key)), at);
  return row;
}

/**
 * @param value as the database gave it
 * @param minBytes the least that a value of this table has, its checksum not counted
 * @returns the value without its checksum
 * @throws CorruptRow
 */
export function openRow(key: Uint8Array, value: Uint8Array, minBytes: number): Buffer {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const at = bytes.length - checksumBytes;
  if (at < minBytes) throw new CorruptRow(key, `has ${bytes.length} bytes, not ${minBytes + checksumBytes} or more`);
  const body = bytes.subarray(0, at);
  if (crc32(body, crc32(key)) !== bytes.readUInt32BE(at)) throw new CorruptRow(key, 'its checksum differs');
  return body;
}

/** The same, and the first byte must be `format`. */
export function openFormat(key: Uint8Array, value: Uint8Array, minBytes: number, format: number): Buffer {
  const body = openRow(key, value, minBytes);
  if (body[0] !== format) throw new CorruptRow(key, `format ${body[0]}, not ${format}`);
  return body;
}

/**
 * The same row under another key.
 *
 * @param value of a row that was opened: what it says is not checked again
 */
export function moveRow(key: Buffer, value: Uint8Array): Row {
  const bodyBytes = value.length - checksumBytes;
  const row = blankRow(key, bodyBytes);
  row.value.set(value.subarray(0, bodyBytes));
  return sealRow(row);
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
