// The sum of all rows: what a full walk computes, and what apply keeps up to date by adding the rows that an entry puts and
// subtracting those that it replaces or deletes. The construction is MSet-Add-Hash of Clarke, Devadas, van Dijk, Gassend and
// Suh, "Incremental Multiset Hash Functions and Their Application to Memory Integrity Checking" (ASIACRYPT 2003), here with
// four sums modulo 2^32 side by side.
//
// It is to find what a disk, a transfer or a fault of ours lost, doubled or left at an older value, in what is a set of rows
// anyway; nobody is defended against who chooses rows to fit. So the hash of a row is a fast one, four lanes mixed as in
// MurmurHash3 (Appleby): a cryptographic one costs 1 to 2 µs a row, which is a fifth of applying (decisions/0004).
//
// A row's checksum is left out, because it covers the generation. A row that never changes under its key (a position or a
// seq is not used twice) counts by its key alone: if it is there, and its checksum is right, it is what was written. So a
// message can leave the sum without its body being read again.
import { type Table, tableOffset, tables } from './keyspace.ts';
import { checksumBytes } from './row.ts';

export const rowSumBytes = 16;

/** The meta row holds the sum, and the fence is there from the first entry on. */
const notCounted: readonly Table[] = ['meta', 'fence'];
const neverChanging: readonly Table[] = ['message', 'retry', 'answerTime', 'endedTime'];

const everyTable = Object.keys(tables) as readonly Table[];
export const countedTables: readonly Table[] = everyTable.filter((table) => !notCounted.includes(table));
const countedCodes: ReadonlySet<number> = new Set(countedTables.map((table) => tables[table]));
const codesByKey: ReadonlySet<number> = new Set(neverChanging.map((table) => tables[table]));

/** Whether the row's value must be known for it to leave the sum. */
export function countsValue(key: Buffer): boolean {
  return !codesByKey.has(tableOf(key));
}

const hashed = new Int32Array(4);

export class RowSum {
  readonly #lanes = new Int32Array(4);

  /** @param bytes as `bytes()` gave them */
  static from(bytes: Buffer): RowSum {
    const sum = new RowSum();
    for (const lane of sum.#lanes.keys()) sum.#lanes[lane] = bytes.readInt32BE(4 * lane);
    return sum;
  }

  bytes(): Buffer {
    const bytes = Buffer.allocUnsafe(rowSumBytes);
    for (const [lane, value] of this.#lanes.entries()) bytes.writeInt32BE(value, 4 * lane);
    return bytes;
  }

  set(other: RowSum): void {
    this.#lanes.set(other.#lanes);
  }

  /** The sum of the rows that are in this one and not in the other. */
  minus(other: RowSum): RowSum {
    const rest = new RowSum();
    for (const lane of rest.#lanes.keys()) rest.#lanes[lane] = (this.#lanes[lane] ?? 0) - (other.#lanes[lane] ?? 0);
    return rest;
  }

  /** @param key with its head; @param value with its checksum */
  add(key: Buffer, value: Buffer): void {
    if (!countedCodes.has(tableOf(key))) return;
    hashRow(key, countsValue(key) ? value : undefined);
    for (let lane = 0; lane < 4; lane += 1) this.#lanes[lane] = (this.#lanes[lane] ?? 0) + (hashed[lane] ?? 0);
  }

  /** @param value may be missing where it does not count */
  subtract(key: Buffer, value: Buffer | undefined): void {
    const counts = countsValue(key);
    if (counts && value === undefined) throw new Error(`row ${key.toString('hex')} leaves the sum, and was not read`);
    hashRow(key, counts ? value : undefined);
    for (let lane = 0; lane < 4; lane += 1) this.#lanes[lane] = (this.#lanes[lane] ?? 0) - (hashed[lane] ?? 0);
  }
}

function tableOf(key: Buffer): number {
  return key[tableOffset] ?? -1;
}

/** Leaves 128 bits in `hashed`. Stands in data directories: another result is another format. */
function hashRow(key: Buffer, value: Buffer | undefined): void {
  const valueBytes = value === undefined ? 0 : value.length - checksumBytes;
  hashed.fill(0);
  absorb(key, tableOffset, key.length);
  if (value !== undefined) absorb(value, 0, valueBytes);
  // Each part was filled up with zeros: their lengths tell apart what would look alike.
  finish(key.length - tableOffset, valueBytes);
}

const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

/** In blocks of 16 bytes, the last one filled up with zeros. */
function absorb(bytes: Buffer, from: number, to: number): void {
  let a = hashed[0] ?? 0;
  let b = hashed[1] ?? 0;
  let c = hashed[2] ?? 0;
  let d = hashed[3] ?? 0;
  for (let at = from; at < to; at += 16) {
    a ^= Math.imul(rotate(Math.imul(wordAt(bytes, at, to), c1), 15), c2);
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= Math.imul(rotate(Math.imul(wordAt(bytes, at + 4, to), c2), 16), c3);
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0;
    c ^= Math.imul(rotate(Math.imul(wordAt(bytes, at + 8, to), c3), 17), c4);
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0;
    d ^= Math.imul(rotate(Math.imul(wordAt(bytes, at + 12, to), c4), 18), c1);
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0;
  }
  store(a, b, c, d);
}

function finish(keyBytes: number, valueBytes: number): void {
  let a = (hashed[0] ?? 0) ^ keyBytes;
  let b = (hashed[1] ?? 0) ^ valueBytes;
  let c = hashed[2] ?? 0;
  let d = hashed[3] ?? 0;
  a = (a + b + c + d) | 0;
  b = avalanche((b + a) | 0);
  c = avalanche((c + a) | 0);
  d = avalanche((d + a) | 0);
  a = (avalanche(a) + b + c + d) | 0;
  store(a, (b + a) | 0, (c + a) | 0, (d + a) | 0);
}

function store(a: number, b: number, c: number, d: number): void {
  hashed[0] = a;
  hashed[1] = b;
  hashed[2] = c;
  hashed[3] = d;
}

function avalanche(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Four bytes, little-endian; zeros beyond the end. */
function wordAt(bytes: Buffer, at: number, end: number): number {
  if (at + 4 <= end) return bytes.readInt32LE(at);
  let word = 0;
  for (let byte = at; byte < end; byte += 1) word |= (bytes[byte] ?? 0) << (8 * (byte - at));
  return word;
}
