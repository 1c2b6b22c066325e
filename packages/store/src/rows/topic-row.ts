// A topic: its name, the number of its next group, and what became of its messages. Written once an entry that counts.
import { blankRow, openFormat, type Row, sealRow } from './row.ts';

/** Messages that stand in the lane: scheduled - cancelled - stopped - delivered - skipped. */
export interface TopicRow {
  readonly number: number;
  readonly name: string;
  readonly nextGroup: number;
  readonly scheduled: number;
  readonly cancelled: number;
  readonly stopped: number;
  readonly delivered: number;
  readonly skipped: number;
}

const format = 1;
const fixedBytes = 35;

/**
 *   offset  bytes  field
 *   0       1      format, 1
 *   1       4      number of the next group
 *   5       6      scheduled
 *   11      6      cancelled
 *   17      6      stopped
 *   23      6      delivered
 *   29      6      skipped
 *   35             name, UTF-8
 *           4      CRC-32
 */
export function encodeTopic(key: Buffer, topic: TopicRow): Row {
  const row = blankRow(key, fixedBytes + Buffer.byteLength(topic.name));
  const { value } = row;
  value.writeUInt8(format, 0);
  value.writeUInt32BE(topic.nextGroup, 1);
  value.writeUIntBE(topic.scheduled, 5, 6);
  value.writeUIntBE(topic.cancelled, 11, 6);
  value.writeUIntBE(topic.stopped, 17, 6);
  value.writeUIntBE(topic.delivered, 23, 6);
  value.writeUIntBE(topic.skipped, 29, 6);
  value.write(topic.name, fixedBytes);
  return sealRow(row);
}

/** @throws CorruptRow */
export function decodeTopic(number: number, key: Uint8Array, value: Uint8Array): TopicRow {
  const body = openFormat(key, value, fixedBytes, format);
  return {
    number,
    name: body.toString('utf8', fixedBytes),
    nextGroup: body.readUInt32BE(1),
    scheduled: body.readUIntBE(5, 6),
    cancelled: body.readUIntBE(11, 6),
    stopped: body.readUIntBE(17, 6),
    delivered: body.readUIntBE(23, 6),
    skipped: body.readUIntBE(29, 6),
  };
}
