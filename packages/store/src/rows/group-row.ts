// A consumer group: where it began, how far it is, how it treats failures, and its counts. Written once an entry that
// touches it.
import type { GroupConfig } from '../command.ts';
import type { Position } from '../position.ts';
import { readPosition } from './keyspace.ts';
import { blankRow, CorruptRow, openFormat, type Row, sealRow } from './row.ts';

export interface GroupRow {
  readonly number: number;
  readonly name: string;
  readonly state: 'active' | 'deleting';
  readonly start: Position;
  readonly cursor: Position;
  readonly config: GroupConfig;
  readonly acknowledged: number;
  /** Of the messages above its start: how many are gone from the lane because all groups were done. */
  readonly gone: number;
  readonly dead: number;
  readonly outstanding: number;
}

const format = 1;
const fixedBytes = 66;
const states = { active: 1, deleting: 2 } as const;

/**
 *   offset  bytes  field
 *   0       1      format, 1
 *   1       1      state: 1 active, 2 deleting
 *   2       12     start: fireAt, seq
 *   14      12     cursor: fireAt, seq
 *   26      4      maxAttempts
 *   30      6      first back-off, ms
 *   36      6      longest back-off, ms
 *   42      6      acknowledged
 *   48      6      gone
 *   54      6      dead
 *   60      6      outstanding
 *   66             name, UTF-8
 *           4      CRC-32
 */
export function encodeGroup(key: Buffer, group: GroupRow): Row {
  const row = blankRow(key, fixedBytes + Buffer.byteLength(group.name));
  const { value } = row;
  value.writeUInt8(format, 0);
  value.writeUInt8(states[group.state], 1);
  value.writeUIntBE(group.start.fireAtMs, 2, 6);
  value.writeUIntBE(group.start.seq, 8, 6);
  value.writeUIntBE(group.cursor.fireAtMs, 14, 6);
  value.writeUIntBE(group.cursor.seq, 20, 6);
  value.writeUInt32BE(group.config.maxAttempts, 26);
  value.writeUIntBE(group.config.backoffFirstMs, 30, 6);
  value.writeUIntBE(group.config.backoffMaxMs, 36, 6);
  value.writeUIntBE(group.acknowledged, 42, 6);
  value.writeUIntBE(group.gone, 48, 6);
  value.writeUIntBE(group.dead, 54, 6);
  value.writeUIntBE(group.outstanding, 60, 6);
  value.write(group.name, fixedBytes);
  return sealRow(row);
}

/** @throws CorruptRow */
export function decodeGroup(number: number, key: Uint8Array, value: Uint8Array): GroupRow {
  const body = openFormat(key, value, fixedBytes, format);
  const state = body[1];
  if (state !== states.active && state !== states.deleting) throw new CorruptRow(key, `group state ${state}`);
  return {
    number,
    name: body.toString('utf8', fixedBytes),
    state: state === states.active ? 'active' : 'deleting',
    start: readPosition(body, 2),
    cursor: readPosition(body, 14),
    config: {
      maxAttempts: body.readUInt32BE(26),
      backoffFirstMs: body.readUIntBE(30, 6),
      backoffMaxMs: body.readUIntBE(36, 6),
    },
    acknowledged: body.readUIntBE(42, 6),
    gone: body.readUIntBE(48, 6),
    dead: body.readUIntBE(54, 6),
    outstanding: body.readUIntBE(60, 6),
  };
}
