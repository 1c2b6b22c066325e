// What a row of each table must look like, for rows that come from elsewhere: another node, a backup, a stopped directory.
// Whatever the bytes are, a row that passes can be read by the rest of this folder.
import { commandBounds } from '../bounds.ts';
import { decodeAnswer } from './answer-row.ts';
import { checkMark, decodeEnded } from './ended-row.ts';
import { decodeGroup } from './group-row.ts';
import { decodeHold, decodeRetry } from './hold-row.ts';
import { groupOf, groupRowPosition, type Table, tableOffset, tables, topicOf } from './keyspace.ts';
import { decodeMessage } from './message-row.ts';
import { decodeMeta } from './meta-row.ts';
import { CorruptRow } from './row.ts';
import { decodeTopic } from './topic-row.ts';

interface Shape {
  /** Of the key within its table: the least, and the most. */
  readonly keyBytes: readonly [least: number, most: number];
  /** @throws CorruptRow, RangeError */
  readonly read: (key: Buffer, value: Uint8Array) => unknown;
}

const idempotencyKey = commandBounds.idempotencyKeyBytes;

const shapes: Readonly<Record<Table, Shape>> = {
  meta: { keyBytes: [0, 0], read: decodeMeta },
  topic: { keyBytes: [4, 4], read: (key, value) => decodeTopic(topicOf(key), key, value) },
  group: { keyBytes: [8, 8], read: (key, value) => decodeGroup(groupOf(key), key, value) },
  message: { keyBytes: [16, 16], read: decodeMessage },
  hold: { keyBytes: [20, 20], read: (key, value) => decodeHold(groupRowPosition(key), key, value) },
  retry: { keyBytes: [20, 20], read: decodeRetry },
  answer: { keyBytes: [5, 4 + idempotencyKey], read: decodeAnswer },
  ended: { keyBytes: [16, 16], read: decodeEnded },
  answerTime: { keyBytes: [11, 10 + idempotencyKey], read: checkMark },
  endedTime: { keyBytes: [22, 22], read: checkMark },
  fence: { keyBytes: [0, 0], read: checkMark },
};

const byCode = new Map<number | undefined, Shape>();
for (const [table, shape] of Object.entries(shapes)) byCode.set(tables[table as Table], shape);

/**
 * @param key with its head, the one that the value's checksum covers
 * @throws CorruptRow when key, checksum, format or a field are not as a row of its table has them
 */
export function checkRow(key: Buffer, value: Uint8Array): void {
  const shape = byCode.get(key[tableOffset]);
  if (shape === undefined) throw new CorruptRow(key, `table ${key[tableOffset]} is not known`);
  const keyBytes = key.length - tableOffset - 1;
  const [least, most] = shape.keyBytes;
  if (keyBytes < least || keyBytes > most) throw new CorruptRow(key, `its key has ${keyBytes} bytes in its table`);
  try {
    shape.read(key, value);
  } catch (error) {
    if (error instanceof RangeError) throw new CorruptRow(key, `its fields do not fit: ${error.message}`);
    throw error;
  }
}
