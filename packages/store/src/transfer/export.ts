// A consistent state, read row by row while writes go on: for snapshots to other nodes, for backups and for hashes.
//
// A read is a chain of short steps: LevelDB hands out about 16 KiB at once, so the event loop is held for as long as it
// takes to check and seal those, well below a millisecond (a single row of 1 MiB: about two).
import { checkRow } from '../rows/check-row.ts';
import { type Keyspace, tableOffset } from '../rows/keyspace.ts';
import { decodeMeta, firstMeta, type Meta } from '../rows/meta-row.ts';
import { bufferOf, moveRow } from '../rows/row.ts';
import { stateHashOf } from '../state-hash.ts';
import type { Snapshot, StateIterator, StateReader } from '../state-reader.ts';
import { type StateExport, type StateRow, travelling } from './row.ts';

/** A database that does not stop at 16 KiB by itself is asked for no more rows than that at once. */
const stepRows = 128;

/** In one step, without a wait: what the snapshot holds is the state of exactly one applied index. */
export function exportState(database: StateReader, keys: Keyspace): StateExport {
  const snapshot = database.snapshot();
  try {
    // The store's own index is ahead of what is written: only the snapshot's row says what the snapshot holds [P5].
    const key = keys.single('meta');
    const value = database.getSync(key, { snapshot });
    return new SnapshotExport(database, snapshot, keys, value === undefined ? firstMeta : decodeMeta(key, value));
  } catch (error) {
    void snapshot.close();
    throw error;
  }
}

class SnapshotExport implements StateExport {
  readonly #database: StateReader;
  readonly #snapshot: Snapshot;
  readonly #keys: Keyspace;
  readonly #meta: Meta;
  #isClosed = false;

  constructor(database: StateReader, snapshot: Snapshot, keys: Keyspace, meta: Meta) {
    this.#database = database;
    this.#snapshot = snapshot;
    this.#keys = keys;
    this.#meta = meta;
  }

  get applied(): { readonly index: number; readonly term: number } {
    return { index: this.#meta.appliedIndex, term: this.#meta.appliedTerm };
  }

  get activeVersion(): number {
    return this.#meta.activeVersion;
  }

  get epoch(): number {
    return this.#meta.epoch;
  }

  get stateHash(): string {
    return stateHashOf(this.#meta);
  }

  // Nothing is kept between two reads: those of two receivers do not disturb each other, and a repeated one is like the first.
  async read(
    after: Uint8Array | undefined,
    maxBytes: number,
  ): Promise<{ readonly rows: readonly StateRow[]; readonly done: boolean }> {
    const { from, to } = this.#keys.everything();
    const gte = after === undefined ? from : Buffer.concat([this.#keys.withHead(after), Buffer.of(0)]);
    const found: StateRow[] = [];
    if (Buffer.compare(gte, to) > 0) return { rows: found, done: true };
    const iterator = this.#iterator(gte, to);
    try {
      let bytes = 0;
      for (;;) {
        const rows = await iterator.nextv(stepRows);
        if (this.#isClosed) throw new Error('the export was closed');
        if (rows.length === 0) return { rows: found, done: true };
        for (const [wholeKey, value] of rows) {
          bytes += wholeKey.length - tableOffset + value.length;
          if (found.length > 0 && bytes > maxBytes) return { rows: found, done: false };
          found.push(departing(bufferOf(wholeKey), value));
        }
      }
    } finally {
      await iterator.close();
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#snapshot.close();
  }

  #iterator(gte: Buffer, lte: Buffer): StateIterator {
    if (this.#isClosed) throw new Error('the export was closed');
    return this.#database.iterator({ gte, lte, values: true, snapshot: this.#snapshot });
  }
}

function departing(key: Buffer, value: Uint8Array): StateRow {
  checkRow(key, value);
  const bare = key.subarray(tableOffset);
  return { key: bare, value: moveRow(travelling.withHead(bare), value).value };
}
