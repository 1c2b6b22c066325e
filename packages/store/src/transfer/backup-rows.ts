// The payload of a record of rows: for each row the bytes of its key in 2, of its value in 4, then both.
import type { StateRow } from './row.ts';

const rowHeadBytes = 6;

export function encodeRows(rows: readonly StateRow[]): Buffer {
  const total = rows.reduce((sum, { key, value }) => sum + rowHeadBytes + key.length + value.length, 0);
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  for (const { key, value } of rows) {
    at = bytes.writeUInt16BE(key.length, at);
    at = bytes.writeUInt32BE(value.length, at);
    bytes.set(key, at);
    bytes.set(value, at + key.length);
    at += key.length + value.length;
  }
  return bytes;
}

/** @returns views into `bytes`; undefined when their lengths do not add up */
export function decodeRows(bytes: Buffer): readonly StateRow[] | undefined {
  const rows: StateRow[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + rowHeadBytes > bytes.length) return undefined;
    const valueAt = at + rowHeadBytes + bytes.readUInt16BE(at);
    const end = valueAt + bytes.readUInt32BE(at + 2);
    if (end > bytes.length) return undefined;
    rows.push({ key: bytes.subarray(at + rowHeadBytes, valueAt), value: bytes.subarray(valueAt, end) });
    at = end;
  }
  return rows;
}
