// A disk with one LevelDB on it. It knows which batches were synced. Power lost takes ANY subset of the others, not only
// the last ones: pages reach a disk in any order, and LevelDB skips a damaged block of its log without a word. A killed
// process loses only the batch that it was writing, which may or may not be there.
import type { Batch, Database, Range, Row, RowIterator } from '@holdfast/raft';
import type { ScanOptions, Snapshot, StateIterator, StateReader } from '@holdfast/store';
import type { Random } from '../random.ts';
import type { TrueTime } from './clock.ts';
import type { Process } from './process.ts';
import { get, put, remove, rows, type Tree } from './sorted-map.ts';

export interface Operation {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

interface Written {
  readonly before: Tree;
  readonly operations: readonly Operation[];
  /** LevelDB's log file; a sync reaches only the one that is open. */
  readonly file: number;
  synced: boolean;
}

export interface DiskOptions {
  readonly time: TrueTime;
  readonly random: Random;
  /** A write takes this long at least, and more by chance. */
  readonly writeMs: number;
  /** Of a few rows, about. */
  readonly readMs: number;
  /** Sees every batch that is kept, and what was there before it. */
  readonly seen?: (before: Tree, operations: readonly Operation[]) => void;
}

/** LevelDB begins another log file after this many bytes (scaled down), and closes the old one without a sync. */
export const fileBytes: number = 256 * 1024;
const journalLength = 200;

export class Disk {
  readonly #seen: DiskOptions['seen'];
  readonly #time: TrueTime;
  readonly #random: Random;
  readonly #writeMs: number;
  readonly #readMs: number;
  #tree: Tree;
  #journal: Written[] = [];
  #file = 0;
  #fileFill = 0;
  /** In the order in which they were asked for; the first one is under way. */
  #writing: { readonly operations: readonly Operation[]; readonly finish: () => void }[] = [];
  #broken = false;
  #failNext = false;
  #stallMs = 0;
  /** Bytes that its rows may take; undefined while there is more than enough. */
  #capacityBytes: number | undefined;
  #usedBytes = 0;
  /** True ms. */
  #writingSinceMs: number | undefined;
  /** For the trace and for checks: batches that were finished, and how many of them without a sync. */
  finished = 0;
  unsynced = 0;

  constructor({ time, random, writeMs, readMs, seen }: DiskOptions, tree?: Tree) {
    this.#seen = seen;
    this.#tree = tree;
    this.#time = time;
    this.#random = random;
    this.#writeMs = writeMs;
    this.#readMs = readMs;
  }

  /**
   * The database as this process sees it. LevelDB writes what it replays from its log into a table, and syncs that, before
   * it opens (reuse_logs is off): what the process before it left unsynced is safe from here on.
   */
  open(process: Process): Database & StateReader {
    for (const batch of this.#journal) batch.synced = true;
    return new SimulatedDatabase(this, process);
  }

  get tree(): Tree {
    return this.#tree;
  }

  get empty(): boolean {
    return this.#tree === undefined;
  }

  read(key: string): Uint8Array | undefined {
    return get(this.#tree, key);
  }

  /** Rows by the table they stand in, those of a state that is being swept among them, and what they all take. */
  measure(): { readonly rows: ReadonlyMap<string, number>; readonly bytes: number } {
    const counts = new Map<string, number>();
    let bytes = 0;
    for (const [key, value] of rows(this.#tree)) {
      const table = tableOf(key);
      counts.set(table, (counts.get(table) ?? 0) + 1);
      bytes += rowBytes(key, value);
    }
    return { rows: counts, bytes };
  }

  /** How long reading a few rows takes. */
  readMs(): number {
    return 0.02 + this.#random.exponential(this.#readMs);
  }

  /** From here on there is room for so many bytes more, and no others. Rows that are removed give theirs back. */
  limit(freeBytes: number): void {
    this.#count();
    this.#capacityBytes = this.#usedBytes + freeBytes;
  }

  /** Somebody made room. */
  unlimit(): void {
    this.#capacityBytes = undefined;
  }

  freeBytes(): number {
    return this.#capacityBytes === undefined ? Number.MAX_SAFE_INTEGER : this.#capacityBytes - this.#usedBytes;
  }

  writingMs(): number {
    return this.#writingSinceMs === undefined ? 0 : this.#time.nowMs - this.#writingSinceMs;
  }

  #count(): void {
    this.#usedBytes = 0;
    for (const [key, value] of rows(this.#tree)) this.#usedBytes += rowBytes(key, value);
  }

  write(process: Process, operations: readonly Operation[], sync: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const tell = (act: () => void): void => process.arrive('disk', act);
      const finish = (): void => {
        const isFull = this.#growthBytes(operations) > this.freeBytes();
        const failed = this.#broken || this.#failNext;
        if (isFull && !failed) {
          this.#broken = true;
          tell(() => reject(new Error('ENOSPC: no space left on device')));
        } else if (failed) {
          this.#broken = true;
          this.#failNext = false;
          // Nothing is known about what a failed write left behind.
          if (this.#random.chance(0.5)) this.#keep(operations, false);
          tell(() => reject(new Error('EIO: the disk refused the write')));
        } else {
          this.#keep(operations, sync);
          tell(resolve);
        }
      };
      this.#writing.push({ operations, finish });
      if (this.#writing.length === 1) this.#startNext();
    });
  }

  /** A batch goes to LevelDB's log before anything is removed: what it deletes makes no room for what it brings. */
  #growthBytes(operations: readonly Operation[]): number {
    return operations.reduce((sum, { key, value }) => sum + rowBytes(key, value), 0);
  }

  #startNext(): void {
    const next = this.#writing[0];
    this.#writingSinceMs = next === undefined ? undefined : this.#time.nowMs;
    if (next === undefined) return;
    const ms = this.#writeMs + this.#random.exponential(this.#writeMs) + this.#stallMs;
    this.#stallMs = 0;
    this.#time.after(ms, () => {
      if (this.#writing[0] !== next) return;
      this.#writing.shift();
      next.finish();
      this.#startNext();
    });
  }

  #keep(operations: readonly Operation[], sync: boolean): void {
    this.#seen?.(this.#tree, operations);
    this.#journal.push({ before: this.#tree, operations, file: this.#file, synced: false });
    if (this.#capacityBytes !== undefined) this.#usedBytes += this.#change(operations);
    this.#tree = applied(this.#tree, operations);
    this.finished++;
    if (sync) for (const batch of this.#journal) if (batch.file === this.#file) batch.synced = true;
    if (!sync) this.unsynced++;
    for (const { value } of operations) this.#fileFill += 40 + (value?.length ?? 0);
    if (this.#fileFill > fileBytes) this.#nextFile();
    while (this.#journal.length > journalLength && this.#journal[0]?.synced === true) this.#journal.shift();
  }

  /** Later operations of a batch on the same key count against what was there before it: near enough. */
  #change(operations: readonly Operation[]): number {
    return operations.reduce((sum, { key, value }) => {
      const before = get(this.#tree, key);
      return sum + rowBytes(key, value) - rowBytes(key, before);
    }, 0);
  }

  #nextFile(): void {
    const old = this.#file++;
    this.#fileFill = 0;
    this.#time.after(this.#random.int(50, 800), () => {
      for (const batch of this.#journal) if (batch.file === old) batch.synced = true;
    });
  }

  /** The process is gone. The batch under way is there whole or not at all (its checksum says so). */
  processDied(): void {
    const [current] = this.#writing;
    this.#writing = [];
    this.#writingSinceMs = undefined;
    if (current !== undefined && this.#random.chance(0.5)) this.#keep(current.operations, false);
    this.#broken = false;
    this.#failNext = false;
  }

  /** @returns how many batches are gone */
  powerLost(): number {
    this.processDied();
    const batches = this.#journal;
    const first = batches.findIndex((batch) => !batch.synced);
    if (first === -1) return 0;
    const mood = this.#random.next();
    const surviving = batches.slice(first).filter((batch) => batch.synced || this.#random.chance(mood));
    this.#tree = batches[first]?.before;
    this.#journal = batches.slice(0, first);
    const lost = batches.length - first - surviving.length;
    for (const batch of surviving) {
      this.#journal.push({ ...batch, before: this.#tree, synced: true });
      this.#tree = applied(this.#tree, batch.operations);
    }
    this.#count();
    return lost;
  }

  /** A synced batch among the last ones, not the very last, that LevelDB drops at the next open without an error. */
  loseBlock(): boolean {
    const lost = this.#journal.length - 1 - this.#random.int(1, 20);
    const from = this.#journal[lost];
    if (from === undefined) return false;
    this.#tree = from.before;
    const later = this.#journal.slice(lost + 1);
    this.#journal = this.#journal.slice(0, lost);
    for (const batch of later) {
      this.#journal.push({ ...batch, before: this.#tree });
      this.#tree = applied(this.#tree, batch.operations);
    }
    return true;
  }

  /** One bit of one value is another one from now on. @returns the key, in hex */
  flipBit(): string | undefined {
    const all = [...rows(this.#tree)].filter(([, value]) => value.length > 0);
    if (all.length === 0) return undefined;
    const [key, value] = this.#random.pick(all);
    const flipped = new Uint8Array(value);
    const at = this.#random.int(0, flipped.length - 1);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << this.#random.int(0, 7));
    this.#tree = put(this.#tree, key, flipped);
    this.#journal = [];
    return Buffer.from(key, 'latin1').toString('hex');
  }

  wipe(): void {
    this.#tree = undefined;
    this.#journal = [];
  }

  /** The next write fails, and every one after it until the database is opened anew (as after a failed fsync). */
  failNextWrite(): void {
    this.#failNext = true;
  }

  mend(): void {
    this.#failNext = false;
    this.#stallMs = 0;
  }

  stallNextWrite(ms: number): void {
    this.#stallMs = ms;
  }
}

/** As the keyspaces of log and state number them; between the two bytes of a row of the state stands its generation. */
const tableOf = (key: string): string => {
  const space = key.slice(0, 1);
  const table = space === '\x01' ? key.slice(1, 2) : key.slice(5, 6);
  return Buffer.from(space + table, 'latin1')
    .toString('hex')
    .replace(/^../, '$& ');
};

/** As LevelDB keeps it, about; nothing where there is no row. */
const rowBytes = (key: string, value: Uint8Array | undefined): number =>
  value === undefined ? 0 : key.length + value.length + 16;

function applied(tree: Tree, operations: readonly Operation[]): Tree {
  let next = tree;
  for (const { key, value } of operations) next = value === undefined ? remove(next, key) : put(next, key, value);
  return next;
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const boundOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : textOf(bytes);

class SimulatedSnapshot implements Snapshot {
  readonly tree: Tree;
  constructor(tree: Tree) {
    this.tree = tree;
  }
  async close(): Promise<void> {}
}

class SimulatedDatabase implements Database, StateReader {
  readonly #disk: Disk;
  readonly #process: Process;

  constructor(disk: Disk, process: Process) {
    this.#disk = disk;
    this.#process = process;
  }

  getSync(key: Uint8Array, options?: { readonly snapshot: Snapshot }): Uint8Array | undefined {
    const value = get(this.#treeOf(options?.snapshot), textOf(key));
    return value === undefined ? undefined : new Uint8Array(value);
  }

  snapshot(): Snapshot {
    return new SimulatedSnapshot(this.#disk.tree);
  }

  iterator(range: Range | ScanOptions): RowIterator & StateIterator {
    const tree = this.#treeOf('snapshot' in range ? range.snapshot : undefined);
    const limit = 'limit' in range ? range.limit : undefined;
    const { gte, lte } = range;
    const gt = 'gt' in range ? range.gt : undefined;
    const lt = 'lt' in range ? range.lt : undefined;
    const reverse = 'reverse' in range ? range.reverse : undefined;
    const found = rows(tree, { gte: boundOf(gte), gt: boundOf(gt), lte: boundOf(lte), lt: boundOf(lt), reverse });
    let left = limit === undefined || limit < 0 ? Number.POSITIVE_INFINITY : limit;
    const nextv = (size: number): Promise<Row[]> => {
      const batch: Row[] = [];
      while (batch.length < size && left > 0) {
        const next = found.next();
        if (next.done === true) break;
        batch.push([bytesOf(next.value[0]), new Uint8Array(next.value[1])]);
        left--;
      }
      return new Promise((resolve) => this.#process.after(this.#disk.readMs(), 'disk', () => resolve(batch)));
    };
    return { nextv, close: async () => {} };
  }

  batch(): Batch {
    const operations: Operation[] = [];
    return {
      put: (key, value) => operations.push({ key: textOf(key), value: new Uint8Array(value) }),
      del: (key) => operations.push({ key: textOf(key), value: undefined }),
      write: (options: { readonly sync?: boolean }) =>
        this.#process.alive
          ? this.#disk.write(this.#process, operations, options.sync === true)
          : new Promise(() => {}),
    };
  }

  #treeOf(snapshot: Snapshot | undefined): Tree {
    return snapshot instanceof SimulatedSnapshot ? snapshot.tree : this.#disk.tree;
  }
}
