// Every key of the log, in one table. Byte order is the order of turns and of indexes.
//
//   01 10                          identity: whose directory this is (identity.ts)
//   01 20                          generations: the highest number ever given to one; generations.ts
//   01 30 <turn:8>                 turn rows: one a write (turn-row.ts)
//   01 30 ff...                    their fence
//   01 40 <generation:4> <index:8> entries
//   01 40 <generation:4> ff...     their fence
//   01 50 <generation:4> <index:8> first index of each run of entries with one term (term-runs.ts)
//   01 50 <generation:4> ff...     their fence
//   01 60 <generation:4> <index:8> configurations (level/configuration-rows.ts), from the first one that was appended on
//   01 60 <generation:4> ff...     their fence, written with the first of them
//   02 <generation:4> ...          rows of the state machine, which makes them
//
// A fence ends a range with a row that lives: a seek that finds nothing would walk over everything deleted behind it
// (31 ms against 0.1 ms measured).
import { readSafeInteger, writeSafeInteger } from './safe-integer.ts';

export const logSpace = 0x01;
const stateSpace = 0x02;

export interface RangeOfKeys {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
}

export const identityKey = key(0x10);
export const generationsKey = key(0x20);
export const turnFence = Buffer.concat([key(0x30), Buffer.alloc(8, 0xff)]);
export const fenceValue: Uint8Array = Buffer.of(1);

export function turnKey(turn: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(10);
  bytes.writeUInt16BE(0x0130, 0);
  writeSafeInteger(bytes, turn, 2);
  return bytes;
}

export function entryKey(generation: number, index: number): Uint8Array {
  return inGeneration(0x0140, generation, index);
}

export function termRunKey(generation: number, index: number): Uint8Array {
  return inGeneration(0x0150, generation, index);
}

export function configurationKey(generation: number, index: number): Uint8Array {
  return inGeneration(0x0160, generation, index);
}

export function entryFence(generation: number): Uint8Array {
  return fenceIn(0x0140, generation);
}

export function termRunFence(generation: number): Uint8Array {
  return fenceIn(0x0150, generation);
}

export function configurationFence(generation: number): Uint8Array {
  return fenceIn(0x0160, generation);
}

/** Everything that lies under a generation, the log's fences included. */
export function rangesOf(generation: number): readonly RangeOfKeys[] {
  const next = generation + 1;
  const logs = [0x0140, 0x0150, 0x0160].map((space) => ({
    gte: inGeneration(space, generation, 0),
    lt: inGeneration(space, next, 0),
  }));
  return [...logs, { gte: stateHead(generation), lt: stateHead(next) }];
}

/** Does a row with this key belong to the state of this generation? */
export function isStateOf(generation: number, key: Uint8Array): boolean {
  const head = stateHead(generation);
  return key.length >= head.length && Buffer.compare(key.subarray(0, head.length), head) === 0;
}

/** The number that ends a key of a turn, an entry or a run; undefined for a fence. */
export function numberOf(raw: Uint8Array): number | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  return bytes.length < 8 ? undefined : readSafeInteger(bytes, bytes.length - 8);
}

function stateHead(generation: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(5);
  bytes.writeUInt8(stateSpace, 0);
  bytes.writeUInt32BE(generation, 1);
  return bytes;
}

function key(kind: number): Buffer {
  return Buffer.of(logSpace, kind);
}

function inGeneration(space: number, generation: number, index: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(14);
  bytes.writeUInt16BE(space, 0);
  bytes.writeUInt32BE(generation, 2);
  writeSafeInteger(bytes, index, 6);
  return bytes;
}

function fenceIn(space: number, generation: number): Uint8Array {
  const bytes = Buffer.alloc(14, 0xff);
  bytes.writeUInt16BE(space, 0);
  bytes.writeUInt32BE(generation, 2);
  return bytes;
}
