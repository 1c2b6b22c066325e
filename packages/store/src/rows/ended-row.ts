// How and when a message ended, for every end that a missing row would not tell [H5]. A second row, in order of its time
// and empty but for its checksum, is there to collect it by.
import type { End } from '../verdict.ts';
import { blankRow, CorruptRow, openFormat, openRow, type Row, sealRow } from './row.ts';

export type EndedRow = End & { readonly endedAtMs: number };

const format = 1;
const fixedBytes = 12;
const kindCodes: Readonly<Record<End['kind'], number>> = { cancelled: 1, stopped: 2, delivered: 3, skipped: 4 };

/**
 *   offset  bytes  field
 *   0       1      format, 1
 *   1       1      how: 1 cancelled, 2 stopped, 3 delivered, 4 skipped
 *   2       4      attempts, of a stopped one
 *   6       6      when, ms since the epoch
 *   12      4      CRC-32
 */
export function encodeEnded(key: Buffer, ended: EndedRow): Row {
  const row = blankRow(key, fixedBytes);
  row.value.writeUInt8(format, 0);
  row.value.writeUInt8(kindCodes[ended.kind], 1);
  row.value.writeUInt32BE(ended.kind === 'stopped' ? ended.attempts : 0, 2);
  row.value.writeUIntBE(ended.endedAtMs, 6, 6);
  return sealRow(row);
}

/** @throws CorruptRow */
export function decodeEnded(key: Uint8Array, value: Uint8Array): EndedRow {
  const body = openFormat(key, value, fixedBytes, format);
  const endedAtMs = body.readUIntBE(6, 6);
  switch (body.readUInt8(1)) {
    case kindCodes.cancelled:
      return { kind: 'cancelled', endedAtMs };
    case kindCodes.stopped:
      return { kind: 'stopped', attempts: body.readUInt32BE(2), endedAtMs };
    case kindCodes.delivered:
      return { kind: 'delivered', endedAtMs };
    case kindCodes.skipped:
      return { kind: 'skipped', endedAtMs };
    default:
      throw new CorruptRow(key, `end of kind ${body[1]}`);
  }
}

/** A row whose key says all: 4 bytes of CRC-32. */
export function encodeMark(key: Buffer): Row {
  return sealRow(blankRow(key, 0));
}

/** @throws CorruptRow */
export function checkMark(key: Uint8Array, value: Uint8Array): void {
  if (openRow(key, value, 0).length > 0) throw new CorruptRow(key, 'a mark with a value');
}
