// Every key of the state. Big-endian numbers, so that the order of the bytes is the order of time.
//
//   offset  bytes  field
//   0       1      2: the state (the log of the same database has others)
//   1       4      generation
//   5       1      table, see below
//   6              the key within its table
import type { Position } from '../position.ts';

/**
 * Numbers stand in data directories: they are never used again for something else. Kept free: 0x06 schedule, 0x07 job,
 * 0x13 key, 0x14 busy, 0x17 moved, 0x21 expiry.
 */
export const tables = {
  /** nothing */
  meta: 0x01,
  /** topic 4 */
  topic: 0x02,
  /** topic 4, group 4 */
  group: 0x03,
  /** topic 4, fireAt 6, seq 6: the lane */
  message: 0x10,
  /** topic 4, group 4, fireAt 6, seq 6 */
  hold: 0x11,
  /** topic 4, group 4, retryAt 6, retrySeq 6 */
  retry: 0x12,
  /** topic 4, idempotency key */
  answer: 0x15,
  /** topic 4, fireAt 6, seq 6 */
  ended: 0x16,
  /** until 6, topic 4, idempotency key */
  answerTime: 0x18,
  /** endedAt 6, topic 4, fireAt 6, seq 6 */
  endedTime: 0x19,
  /** nothing. The last row of a generation: a seek that finds nothing walks tombstones without end otherwise. */
  fence: 0xff,
} as const;

export type Table = keyof typeof tables;

/** Offset of the table's number in a key. What stands before it, the head, is left out where rows leave their generation. */
export const tableOffset = 5;
const head = 6;

/** Both ends belong to it. */
export interface KeyRange {
  readonly table: Table;
  readonly from: Buffer;
  readonly to: Buffer;
}

const lowest: Position = { fireAtMs: 0, seq: 0 };
const highest: Position = { fireAtMs: 2 ** 48 - 1, seq: 2 ** 48 - 1 };

/** The next position that there can be. */
function following(position: Position): Position {
  return position.seq === highest.seq
    ? { fireAtMs: position.fireAtMs + 1, seq: 0 }
    : { fireAtMs: position.fireAtMs, seq: position.seq + 1 };
}

function writePosition(key: Buffer, position: Position, at: number): void {
  key.writeUIntBE(position.fireAtMs, at, 6);
  key.writeUIntBE(position.seq, at + 6, 6);
}

export function readPosition(bytes: Buffer, at: number): Position {
  return { fireAtMs: bytes.readUIntBE(at, 6), seq: bytes.readUIntBE(at + 6, 6) };
}

/** Makes the keys of one generation, and reads them. */
export class Keyspace {
  readonly #generation: number;

  constructor(generation: number) {
    this.#generation = generation;
  }

  /** @param key one without its head */
  withHead(key: Uint8Array): Buffer {
    const whole = Buffer.allocUnsafe(tableOffset + key.length);
    this.#writeHead(whole);
    whole.set(key, tableOffset);
    return whole;
  }

  single(table: 'meta' | 'fence'): Buffer {
    return this.#blank(table, 0);
  }

  topic(topic: number): Buffer {
    const key = this.#blank('topic', 4);
    key.writeUInt32BE(topic, head);
    return key;
  }

  group(topic: number, group: number): Buffer {
    const key = this.#blank('group', 8);
    key.writeUInt32BE(topic, head);
    key.writeUInt32BE(group, head + 4);
    return key;
  }

  ofTopic(table: 'message' | 'ended', topic: number, position: Position): Buffer {
    const key = this.#blank(table, 16);
    key.writeUInt32BE(topic, head);
    writePosition(key, position, head + 4);
    return key;
  }

  /** A retry row's position is (retryAt, retrySeq). */
  ofGroup(table: 'hold' | 'retry', topic: number, group: number, position: Position): Buffer {
    const key = this.#blank(table, 20);
    key.writeUInt32BE(topic, head);
    key.writeUInt32BE(group, head + 4);
    writePosition(key, position, head + 8);
    return key;
  }

  answer(topic: number, idempotencyKey: string): Buffer {
    const key = this.#blank('answer', 4 + Buffer.byteLength(idempotencyKey));
    key.writeUInt32BE(topic, head);
    key.write(idempotencyKey, head + 4);
    return key;
  }

  answerTime(untilMs: number, topic: number, idempotencyKey: string): Buffer {
    const key = this.#blank('answerTime', 10 + Buffer.byteLength(idempotencyKey));
    key.writeUIntBE(untilMs, head, 6);
    key.writeUInt32BE(topic, head + 6);
    key.write(idempotencyKey, head + 10);
    return key;
  }

  endedTime(endedAtMs: number, topic: number, position: Position): Buffer {
    const key = this.#blank('endedTime', 22);
    key.writeUIntBE(endedAtMs, head, 6);
    key.writeUInt32BE(topic, head + 6);
    writePosition(key, position, head + 10);
    return key;
  }

  /** Rows of the table with a position in (after, to]. */
  topicRange(table: 'message' | 'ended', topic: number, after: Position, to: Position): KeyRange {
    return { table, from: this.ofTopic(table, topic, following(after)), to: this.ofTopic(table, topic, to) };
  }

  groupRange(table: 'hold' | 'retry', topic: number, group: number, after: Position): KeyRange {
    const from = this.ofGroup(table, topic, group, following(after));
    return { table, from, to: this.ofGroup(table, topic, group, highest) };
  }

  /** @param fromMs, toMs both belong to it */
  timeRange(table: 'answerTime' | 'endedTime', fromMs: number, toMs: number): KeyRange {
    const from = this.#blank(table, 6);
    from.writeUIntBE(fromMs, head, 6);
    const to = this.#blank(table, 6);
    to.writeUIntBE(toMs + 1, head, 6);
    return { table, from, to };
  }

  wholeTable(table: Table): KeyRange {
    const to = this.#blank(table, 0);
    to.writeUInt8(tables[table] + 1, tableOffset);
    return { table, from: this.#blank(table, 0), to };
  }

  /** Every row of the generation. */
  everything(): { readonly from: Buffer; readonly to: Buffer } {
    return { from: this.#blank('meta', 0), to: this.#blank('fence', 0) };
  }

  #blank(table: Table, bytes: number): Buffer {
    const key = Buffer.allocUnsafe(head + bytes);
    this.#writeHead(key);
    key.writeUInt8(tables[table], tableOffset);
    return key;
  }

  #writeHead(key: Buffer): void {
    key.writeUInt8(2, 0);
    key.writeUInt32BE(this.#generation, 1);
  }
}

export const wholeLane: { readonly after: Position; readonly to: Position } = { after: lowest, to: highest };

export function messagePosition(key: Buffer): Position {
  return readPosition(key, head + 4);
}

export function topicOf(key: Buffer): number {
  return key.readUInt32BE(head);
}

export function groupOf(key: Buffer): number {
  return key.readUInt32BE(head + 4);
}

/** Of a hold; of a retry row its (retryAt, retrySeq). */
export function groupRowPosition(key: Buffer): Position {
  return readPosition(key, head + 8);
}

export function readAnswerTime(key: Buffer): { untilMs: number; topic: number; key: string } {
  return { untilMs: key.readUIntBE(head, 6), topic: key.readUInt32BE(head + 6), key: key.toString('utf8', head + 10) };
}

export function readEndedTime(key: Buffer): { endedAtMs: number; topic: number; position: Position } {
  return {
    endedAtMs: key.readUIntBE(head, 6),
    topic: key.readUInt32BE(head + 6),
    position: readPosition(key, head + 10),
  };
}
