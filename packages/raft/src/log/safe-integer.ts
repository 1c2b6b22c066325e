// Indexes, terms and turn numbers: safe integers in eight bytes, so that the order of bytes is the order of numbers.
import { strict as assert } from 'node:assert';

const high = 2 ** 32;

export function writeSafeInteger(bytes: Buffer, value: number, at: number): void {
  assert(Number.isSafeInteger(value) && value >= 0);
  bytes.writeUInt32BE(Math.floor(value / high), at);
  bytes.writeUInt32BE(value % high, at + 4);
}

/** The number, or undefined when the eight bytes hold none that is safe. */
export function readSafeInteger(bytes: Buffer, at: number): number | undefined {
  const value = bytes.readUInt32BE(at) * high + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}
