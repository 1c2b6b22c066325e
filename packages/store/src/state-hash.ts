// The running hash of the state: equal on every replica at an equal applied index, or a replica has gone astray.
import { createHash } from 'node:crypto';
import type { Meta } from './rows/meta-row.ts';
import type { Effect } from './store.ts';

const factsBytes = 46;

/**
 * SHA-1 over the hash before, what the meta row says, and the entry's row changes in order of their keys. A value is
 * counted in by its CRC-32, which covers it and its key.
 *
 * @returns 20 bytes
 */
export function nextStateHash(meta: Meta, rows: ReadonlyMap<string, Effect>): Buffer {
  const ids = [...rows.keys()].sort();
  let length = 20 + factsBytes;
  for (const id of ids) length += id.length + 6;
  const bytes = Buffer.allocUnsafe(length);
  bytes.set(meta.stateHash, 0);
  let at = writeFacts(bytes, 20, meta);
  for (const id of ids) {
    const value = rows.get(id)?.value;
    at = bytes.writeUInt8(id.length, at);
    at += bytes.write(id, at, 'latin1');
    at = bytes.writeUInt8(value === undefined ? 0 : 1, at);
    if (value === undefined) bytes.fill(0, at, at + 4);
    else bytes.set(value.subarray(value.length - 4), at);
    at += 4;
  }
  return createHash('sha1').update(bytes).digest();
}

function writeFacts(bytes: Buffer, start: number, meta: Meta): number {
  let at = start;
  const numbers = [meta.appliedIndex, meta.appliedTerm, meta.clockMs, meta.seq, meta.beginTerm, meta.releaseFromMs];
  for (const number of numbers) at = bytes.writeUIntBE(number, at, 6);
  at = bytes.writeUIntBE(meta.horizonSeq, at, 6);
  return bytes.writeUInt32BE(meta.nextTopic, at);
}
