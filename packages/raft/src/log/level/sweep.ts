// Rows of a generation that is no longer in use, or never came to be, are removed in bounded steps.
//
// Where a sweep stood is not written down: one that a crash broke off begins anew, and walks once over what it had
// deleted. That costs a background read, and no reader of the generation in use.
import type { Database, RowIterator } from '../database.ts';
import { type RangeOfKeys, rangesOf } from '../keyspace.ts';

/** What one step removes at most. */
const stepRows = 1024;
/**
 * A step ends with the row that reaches so many bytes. LevelDB hands out 16 KiB at once: with no more than that in a step, a
 * state would be removed many times more slowly than another one comes in.
 */
const stepBytes = 2 ** 20;

export class Sweep {
  readonly generation: number;
  readonly #database: Database;
  readonly #ranges: RangeOfKeys[];
  #after: Uint8Array | undefined;

  constructor(database: Database, generation: number) {
    this.#database = database;
    this.generation = generation;
    this.#ranges = [...rangesOf(generation)];
  }

  /** The next keys to delete; undefined when there are no more. Asked for anew, it goes on behind those. */
  async next(): Promise<readonly Uint8Array[] | undefined> {
    for (let range = this.#ranges[0]; range !== undefined; range = this.#ranges[0]) {
      const { gte, lt } = range;
      const rows = await read(
        this.#database.iterator(this.#after === undefined ? { gte, lt } : { gt: this.#after, lt }),
      );
      if (rows.length > 0) {
        this.#after = rows.at(-1);
        return rows;
      }
      this.#ranges.shift();
      this.#after = undefined;
    }
    return undefined;
  }
}

async function read(iterator: RowIterator): Promise<readonly Uint8Array[]> {
  const keys: Uint8Array[] = [];
  try {
    for (let bytes = 0; keys.length < stepRows && bytes < stepBytes; ) {
      const rows = await iterator.nextv(stepRows - keys.length);
      if (rows.length === 0) break;
      for (const [key, value] of rows) {
        keys.push(key);
        bytes += key.length + value.length;
      }
    }
    return keys;
  } finally {
    await iterator.close();
  }
}
