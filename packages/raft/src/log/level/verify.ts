// The full walk of a log that nobody writes to. A start reads what power loss may have damaged; this reads everything that
// the log holds, and goes on after a fault, so that all of it is told at once.
import type { Database, Row } from '../database.ts';
import { CorruptEntry, decodeEntry } from '../entry.ts';
import { decodeGenerations } from '../generations.ts';
import { decodeIdentity } from '../identity.ts';
import { entryFence, entryKey, generationsKey, identityKey, numberOf, rangesOf } from '../keyspace.ts';
import { newestTurn, recover } from '../recover.ts';
import type { TurnRow } from '../turn-row.ts';

/** What the walk has found. Where the last turn can not be read, its numbers are 0. */
export interface VerifiedLog {
  /** Whose directory it is; undefined where that can not be read. */
  readonly id: string | undefined;
  /** Undefined until the cluster was founded. */
  readonly clusterId: string | undefined;
  readonly term: number;
  /** Of log and state. */
  readonly generation: number;
  /** The last write. */
  readonly turn: number;
  /** As the last turn says. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** That were found and are sound. */
  readonly entries: number;
  readonly bytes: number;
  /** Sentences; none when all is well, and the first 100 when there are more. */
  readonly faults: readonly string[];
}

const maxFaults = 100;

/**
 * Reads everything that the log in this database holds, and changes nothing. No node may run on it meanwhile.
 *
 * @param applied the state's applied index
 * @throws what the database throws; damage is a fault and no exception
 */
export async function verifyLog(database: Database, applied: number): Promise<VerifiedLog> {
  const faults = new Faults();
  const identity = faults.during(() => {
    const row = database.getSync(identityKey);
    return row === undefined ? undefined : decodeIdentity(row);
  });
  if (identity === undefined) faults.add('nothing says whose directory this is');
  let last: TurnRow | undefined;
  try {
    last = await newestTurn(database);
  } catch (error) {
    faults.caught(error);
  }
  const seen = last === undefined ? { entries: 0, bytes: 0 } : await walk(database, last, faults);
  if (last !== undefined && seen.bytes !== last.logBytes)
    faults.add(`the entries have ${seen.bytes} bytes, and the last turn says ${last.logBytes}`);
  await checkGenerations(database, last, faults);
  try {
    await recover(database, applied, () => undefined);
  } catch (error) {
    faults.caught(error);
  }
  return {
    id: identity?.id,
    clusterId: identity?.founding?.confirmed === true ? identity.founding.record.clusterId : undefined,
    term: last?.hardState.term ?? 0,
    generation: last?.generation ?? 0,
    turn: last?.turn ?? 0,
    firstIndex: last?.firstIndex ?? 0,
    lastIndex: last?.lastIndex ?? 0,
    ...seen,
    faults: faults.sentences,
  };
}

class Faults {
  readonly #sentences = new Set<string>();

  get sentences(): readonly string[] {
    return [...this.#sentences];
  }

  add(sentence: string): void {
    if (this.#sentences.size < maxFaults) this.#sentences.add(sentence);
  }

  /** @throws what has no code: a fault of the database, and not of what it holds */
  caught(error: unknown): void {
    if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('HF_')) throw error;
    this.add(error.message);
  }

  during<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      this.caught(error);
      return undefined;
    }
  }
}

/** Every entry there is: of its own index, its bytes as they were written, terms that never fall. */
async function walk(database: Database, last: TurnRow, faults: Faults): Promise<{ entries: number; bytes: number }> {
  const { generation, firstIndex, lastIndex } = last;
  let [entries, bytes, expected, term] = [0, 0, firstIndex, 0];
  for await (const [key, value] of rowsIn(database, entryKey(generation, firstIndex), entryFence(generation))) {
    const index = numberOf(key) ?? 0;
    if (index > lastIndex) faults.add(`index ${index} lies behind the end of the log, ${lastIndex}`);
    else if (index !== expected) faults.add(missing(expected, index - 1));
    expected = index + 1;
    try {
      const entry = decodeEntry(value);
      if (entry.index !== index) faults.add(`the row of index ${index} holds the entry at ${entry.index}`);
      if (entry.term < term) faults.add(`the entry at index ${index} has term ${entry.term}, after term ${term}`);
      ({ term } = entry);
      entries += 1;
      bytes += entry.bytes.length;
    } catch (error) {
      if (!(error instanceof CorruptEntry)) throw error;
      faults.add(`the entry at index ${index} is damaged: ${error.message}`);
    }
  }
  if (expected <= lastIndex) faults.add(missing(expected, lastIndex));
  return { entries, bytes };
}

const missing = (from: number, to: number): string =>
  from === to ? `the entry at index ${from} is missing` : `the entries at indexes ${from} to ${to} are missing`;

/** Rows lie under the generation in use, and under those of which it is written down that they are to be swept. */
async function checkGenerations(database: Database, last: TurnRow | undefined, faults: Faults): Promise<void> {
  const row = database.getSync(generationsKey);
  const known = row === undefined ? undefined : faults.during(() => decodeGenerations(row));
  if (known === undefined || last === undefined) return;
  const may = new Set([last.generation, ...known.unswept]);
  for (let generation = 1; generation <= known.highest + 1; generation++) {
    if (may.has(generation)) continue;
    for (const { gte, lt } of rangesOf(generation)) {
      const iterator = database.iterator({ gte, lt, limit: 1 });
      const found = await iterator.nextv(1);
      await iterator.close();
      if (found.length > 0) faults.add(`rows lie under generation ${generation}, which is not in use`);
    }
  }
}

async function* rowsIn(database: Database, gte: Uint8Array, lt: Uint8Array): AsyncGenerator<Row> {
  const iterator = database.iterator({ gte, lt });
  try {
    for (let found = await iterator.nextv(32); found.length > 0; found = await iterator.nextv(32)) yield* found;
  } finally {
    await iterator.close();
  }
}
