// The hash of the state: equal on every replica at an equal applied index, or a replica has gone astray.
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import { encodeMeta, firstMeta, type Meta, type StateHash } from './rows/meta-row.ts';
import { checksumBytes } from './rows/row.ts';
import { RowSum } from './rows/row-sum.ts';
import type { Effect } from './store.ts';
import { summedSince } from './version.ts';

const factsBytes = 46;

/**
 * What the meta row says after an entry. Whether and from where rows are summed is alike on all replicas: it follows from
 * what was applied, and never from when a replica was started.
 *
 * @param after as the entry leaves it, the hash not yet
 * @param rows every row that it changed, the meta row not among them
 * @param sum the rows' sum with the changes of the entry, if it is kept
 */
export function hashAfter(after: Meta, rows: ReadonlyMap<string, Effect>, sum: RowSum | undefined): StateHash {
  const { hash } = after;
  if (hash.kind === 'rows') {
    assert(sum !== undefined);
    return { ...hash, sum: sum.bytes() };
  }
  if (after.activeVersion < summedSince) return { kind: 'running', bytes: nextStateHash(after, hash.bytes, rows) };
  // The entry that raised the version is the last one that is not counted. Without a topic there is not a single row.
  return { kind: 'rows', sum: new RowSum().bytes(), isWhole: after.nextTopic === firstMeta.nextTopic };
}

/** @returns hex */
export function stateHashOf(meta: Meta): string {
  if (meta.hash.kind === 'running') return meta.hash.bytes.toString('hex');
  // The meta row says all: the sum of the rows, and everything that is not a row of its own.
  const { value } = encodeMeta(Buffer.of(), meta);
  return createHash('sha1').update(value.subarray(0, -checksumBytes)).digest('hex');
}

/**
 * SHA-1 over the hash before, what the meta row says, and the entry's row changes in order of their keys. A value is
 * counted in by its CRC-32, which covers it and its key.
 *
 * @returns 20 bytes
 */
function nextStateHash(meta: Meta, before: Buffer, rows: ReadonlyMap<string, Effect>): Buffer {
  const ids = [...rows.keys()].sort();
  let length = 20 + factsBytes;
  for (const id of ids) length += id.length + 6;
  const bytes = Buffer.allocUnsafe(length);
  bytes.set(before, 0);
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
