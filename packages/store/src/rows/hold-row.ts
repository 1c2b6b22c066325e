// A hold: the group's cursor has passed the message, and the group is not done with it [G1]. And the retry row, by which
// a hold that waits is found in order of time.
import type { Position } from '../position.ts';
import type { Hold, HoldState } from '../view.ts';
import { readPosition } from './keyspace.ts';
import { blankRow, CorruptRow, openFormat, openRow, type Row, sealRow } from './row.ts';

const format = 1;
const fixedBytes = 46;
const stateCodes: Readonly<Record<HoldState, number>> = { leased: 1, retry: 2, aside: 3, dead: 4 };
const states: readonly (HoldState | undefined)[] = [undefined, 'leased', 'retry', 'aside', 'dead'];

/**
 *   offset  bytes  field
 *   0       1      format, 1
 *   1       1      state: 1 leased, 2 retry, 3 aside, 4 dead
 *   2       6      token of the newest lease, a seq
 *   8       4      attempt, the first is 1
 *   12      6      until, ms since the epoch
 *   18      16     receive id
 *   34      6      retryAt, ms since the epoch; 0 unless the state is retry
 *   40      6      retrySeq; 0 unless the state is retry
 *   46             reason of the last failure, UTF-8
 *           4      CRC-32
 */
export function encodeHold(key: Buffer, hold: Hold): Row {
  const row = blankRow(key, fixedBytes + Buffer.byteLength(hold.reason));
  const { value } = row;
  value.writeUInt8(format, 0);
  value.writeUInt8(stateCodes[hold.state], 1);
  value.writeUIntBE(hold.token, 2, 6);
  value.writeUInt32BE(hold.attempt, 8);
  value.writeUIntBE(hold.untilMs, 12, 6);
  value.set(hold.receiveId, 18);
  value.writeUIntBE(hold.retryAtMs, 34, 6);
  value.writeUIntBE(hold.retrySeq, 40, 6);
  value.write(hold.reason, fixedBytes);
  return sealRow(row);
}

/** @throws CorruptRow */
export function decodeHold(position: Position, key: Uint8Array, value: Uint8Array): Hold {
  const body = openFormat(key, value, fixedBytes, format);
  const state = states[body.readUInt8(1)];
  if (state === undefined) throw new CorruptRow(key, `hold state ${body[1]}`);
  return {
    position,
    state,
    token: body.readUIntBE(2, 6),
    attempt: body.readUInt32BE(8),
    untilMs: body.readUIntBE(12, 6),
    receiveId: body.subarray(18, 34),
    retryAtMs: body.readUIntBE(34, 6),
    retrySeq: body.readUIntBE(40, 6),
    reason: body.toString('utf8', fixedBytes),
  };
}

/**
 *   offset  bytes  field
 *   0       12     the message's position: fireAt, seq
 *   12      4      CRC-32
 */
export function encodeRetry(key: Buffer, position: Position): Row {
  const row = blankRow(key, 12);
  row.value.writeUIntBE(position.fireAtMs, 0, 6);
  row.value.writeUIntBE(position.seq, 6, 6);
  return sealRow(row);
}

/** @throws CorruptRow */
export function decodeRetry(key: Uint8Array, value: Uint8Array): Position {
  return readPosition(openRow(key, value, 12), 0);
}
