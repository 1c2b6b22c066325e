// A message, at its position. Written once, with its body, and deleted when the last group is done with it.
import type { NewMessage } from '../command.ts';
import { blankRow, CorruptRow, openFormat, type Row, sealRow } from './row.ts';

const format = 1;
const fixedBytes = 19;

/**
 *   offset  bytes  field
 *   0       1      format, 1
 *   1       4      version, rises with every reschedule: 1
 *   5       6      expireAt, ms since the epoch, 0 = never: 0
 *   11      4      bytes of the headers
 *   15      4      bytes of the body
 *   19             headers, then body
 *           4      CRC-32
 */
export function encodeMessage(key: Buffer, message: Pick<NewMessage, 'headers' | 'body'>): Row {
  const { headers, body } = message;
  const row = blankRow(key, fixedBytes + headers.length + body.length);
  const { value } = row;
  value.writeUInt8(format, 0);
  value.writeUInt32BE(1, 1);
  value.writeUIntBE(0, 5, 6);
  value.writeUInt32BE(headers.length, 11);
  value.writeUInt32BE(body.length, 15);
  value.set(headers, fixedBytes);
  value.set(body, fixedBytes + headers.length);
  return sealRow(row);
}

/**
 * @returns views into `value`
 * @throws CorruptRow
 */
export function decodeMessage(key: Uint8Array, value: Uint8Array): { headers: Buffer; body: Buffer } {
  const row = openFormat(key, value, fixedBytes, format);
  const bodyAt = fixedBytes + row.readUInt32BE(11);
  if (bodyAt + row.readUInt32BE(15) !== row.length) throw new CorruptRow(key, 'its lengths do not add up');
  return { headers: row.subarray(fixedBytes, bodyAt), body: row.subarray(bodyAt) };
}
