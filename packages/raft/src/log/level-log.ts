// The log on LevelDB: one synced batch a turn, the effects of applied entries in it. So log and state can never disagree.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';
import type { HardState } from '../core/ready.ts';
import { RaftError, reasonOf } from '../raft-error.ts';
import type { Batch, Database } from './database.ts';
import { EntryCache } from './entry-cache.ts';
import type { Founding } from './founding.ts';
import { encodeGenerations, firstGeneration } from './generations.ts';
import {
  checkIdentity,
  decodeIdentity,
  encodeIdentity,
  type Identity,
  type Membership,
  newIdentity,
} from './identity.ts';
import {
  entryFence,
  entryKey,
  fenceValue,
  generationsKey,
  identityKey,
  logSpace,
  termRunFence,
  termRunKey,
  turnFence,
  turnKey,
} from './keyspace.ts';
import type { LogStore, Turn } from './log-store.ts';
import { checkedEntry, recover } from './recover.ts';
import { encodeTermRun, type TermRuns } from './term-runs.ts';
import { encodeTurnRow, type TurnRow } from './turn-row.ts';
import { TurnWindow } from './turn-window.ts';

export interface LevelLogOptions extends Membership {
  /** Open, with keys and values as bytes. Stays open when the log is closed. */
  readonly database: Database;
  /** Index of the last entry whose effects the database holds; 0 for none. */
  readonly applied: number;
  /** Uniform in [0, 1): the incarnation of a new directory is drawn from it. */
  readonly random: () => number;
  /** LevelDB's `writeBufferSize`: turn rows are kept for two of them. */
  readonly writeBufferBytes?: number;
  /** Of the newest entries, held in memory. */
  readonly cacheBytes?: number;
}

const defaultWriteBufferBytes = 16 * 2 ** 20;
const defaultCacheBytes = 4 * 2 ** 20;
const maxTurnRows = 65_536;
/** About what the rows of a turn weigh beside entries and effects. */
const turnRowBytes = 160;

/**
 * Opens the log in a database, or founds it when the database is empty.
 *
 * @throws RaftError HF_WRONG_MEMBER, HF_WRONG_CLUSTER, HF_LOG_CORRUPT, HF_LOG_GAP, HF_LOG_FORMAT: nothing was changed
 */
export async function openLevelLog(options: LevelLogOptions): Promise<LogStore> {
  const { database, applied, random } = options;
  const row = database.getSync(identityKey);
  if (row === undefined) await found(database, newIdentity(options, random));
  else checkIdentity(decodeIdentity(row), options);
  const identity = decodeIdentity(row ?? read(database, identityKey));
  const cache = new EntryCache(options.cacheBytes ?? defaultCacheBytes);
  const { last, batchBytes, terms } = await recover(database, applied, (entry) => cache.append(entry));
  const keptBytes = 2 * (options.writeBufferBytes ?? defaultWriteBufferBytes);
  const turns = new TurnWindow(keptBytes, maxTurnRows, last.oldestTurn, batchBytes);
  return new LevelLog(database, identity, last, terms, cache, turns);
}

async function found(database: Database, identity: Identity): Promise<void> {
  const iterator = database.iterator({ gte: Buffer.of(logSpace), limit: 1 });
  const rows = await iterator.nextv(1);
  await iterator.close();
  if (rows.length > 0) throw new RaftError('HF_LOG_GAP', 'The row that says whose directory this is is missing.');
  const first: TurnRow = {
    turn: 0,
    generation: firstGeneration,
    hardState: { term: 0, vote: undefined },
    firstIndex: 1,
    lastIndex: 0,
    lastTerm: 0,
    untouchedIndex: 0,
    logBytes: 0,
    oldestTurn: 0,
    batchBytes: turnRowBytes,
  };
  const batch = database.batch();
  batch.put(identityKey, encodeIdentity(identity));
  batch.put(generationsKey, encodeGenerations(firstGeneration));
  batch.put(turnKey(0), encodeTurnRow(first));
  for (const fence of [turnFence, entryFence(firstGeneration), termRunFence(firstGeneration)])
    batch.put(fence, fenceValue);
  await written(batch);
}

class LevelLog implements LogStore {
  readonly #database: Database;
  readonly #terms: TermRuns;
  readonly #cache: EntryCache;
  readonly #turns: TurnWindow;
  #identity: Identity;
  #last: TurnRow;
  #writing: Promise<void> | undefined;
  #failed = false;

  constructor(
    database: Database,
    identity: Identity,
    last: TurnRow,
    terms: TermRuns,
    cache: EntryCache,
    turns: TurnWindow,
  ) {
    this.#database = database;
    this.#identity = identity;
    this.#last = last;
    this.#terms = terms;
    this.#cache = cache;
    this.#turns = turns;
  }

  get identity(): Identity {
    return this.#identity;
  }

  get hardState(): HardState {
    return this.#last.hardState;
  }

  get firstIndex(): number {
    return this.#last.firstIndex;
  }

  get lastIndex(): number {
    return this.#last.lastIndex;
  }

  get logBytes(): number {
    return this.#last.logBytes;
  }

  term(index: number): number | undefined {
    if (index === 0) return 0;
    return index < this.firstIndex || index > this.lastIndex ? undefined : this.#terms.at(index);
  }

  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[] {
    assert(from >= this.firstIndex && toInclusive <= this.lastIndex && from <= toInclusive);
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = from; index <= toInclusive; index++) {
      const entry = this.#entry(index);
      bytes += entry.bytes.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  async write(turn: Turn): Promise<void> {
    const batch = this.#begin();
    const next = this.#plan(turn);
    this.#queueEntries(batch, turn, next);
    for (const { key, value } of turn.effects) {
      assert((key[0] ?? 0) > logSpace, 'a key of the state machine lies in the space of the log');
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    for (let old = this.#last.oldestTurn; old < next.oldestTurn; old++) batch.del(turnKey(old));
    batch.put(turnKey(next.turn), encodeTurnRow(next));
    await this.#commit(batch);
    this.#show(turn, next);
  }

  async writeFounding(founding: Founding): Promise<void> {
    const batch = this.#begin();
    const identity = { ...this.#identity, founding };
    batch.put(identityKey, encodeIdentity(identity));
    await this.#commit(batch);
    this.#identity = identity;
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined);
  }

  #begin(): Batch {
    assert(this.#writing === undefined, 'two writes in flight');
    assert(!this.#failed, 'a write after one that failed');
    return this.#database.batch();
  }

  /** What the turn row will say. */
  #plan(turn: Turn): TurnRow {
    const last = this.#last;
    const untouchedIndex = (turn.truncateFrom ?? last.lastIndex + 1) - 1;
    assert(untouchedIndex <= last.lastIndex && untouchedIndex >= last.firstIndex - 1, 'truncation outside of the log');
    let { logBytes } = last;
    for (let index = untouchedIndex + 1; index <= last.lastIndex; index++) logBytes -= this.#entry(index).bytes.length;
    let batchBytes = turnRowBytes;
    let lastTerm = this.term(untouchedIndex) ?? 0;
    for (const [i, { index, term, bytes }] of turn.entries.entries()) {
      assert(index === untouchedIndex + 1 + i && term >= lastTerm, `entry ${index} does not follow`);
      lastTerm = term;
      logBytes += bytes.length;
      batchBytes += bytes.length;
    }
    for (const { key, value } of turn.effects) batchBytes += key.length + (value?.length ?? 0);
    return {
      turn: last.turn + 1,
      generation: last.generation,
      hardState: turn.hardState ?? last.hardState,
      firstIndex: last.firstIndex,
      lastIndex: untouchedIndex + turn.entries.length,
      lastTerm,
      untouchedIndex,
      logBytes,
      oldestTurn: this.#turns.add(batchBytes),
      batchBytes,
    };
  }

  #queueEntries(
    batch: Batch,
    { entries, truncateFrom }: Turn,
    { generation, untouchedIndex, lastIndex }: TurnRow,
  ): void {
    for (let index = lastIndex + 1; index <= this.lastIndex; index++) batch.del(entryKey(generation, index));
    if (truncateFrom !== undefined) {
      for (const run of this.#terms.from(truncateFrom)) batch.del(termRunKey(generation, run.index));
    }
    let before = this.term(untouchedIndex);
    for (const { index, term, bytes } of entries) {
      batch.put(entryKey(generation, index), bytes);
      if (term !== before) batch.put(termRunKey(generation, index), encodeTermRun({ index, term }));
      before = term;
    }
  }

  async #commit(batch: Batch): Promise<void> {
    this.#writing = written(batch);
    try {
      await this.#writing;
    } catch (error) {
      this.#failed = true;
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  /** The turn is durable: from here on the reader's methods show it. */
  #show({ truncateFrom, entries }: Turn, next: TurnRow): void {
    if (truncateFrom !== undefined) {
      this.#terms.truncate(truncateFrom);
      this.#cache.truncate(truncateFrom);
    }
    for (const entry of entries) {
      this.#terms.append(entry.index, entry.term);
      this.#cache.append(entry);
    }
    this.#last = next;
  }

  #entry(index: number): Entry {
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    const row = this.#database.getSync(entryKey(this.#last.generation, index));
    if (row === undefined) throw new RaftError('HF_LOG_GAP', `The entry at index ${index} is missing.`, { index });
    return checkedEntry(index, this.term(index), row);
  }
}

async function written(batch: Batch): Promise<void> {
  try {
    await batch.write({ sync: true });
  } catch (cause) {
    const code = isDiskFull(cause) ? 'HF_DISK_FULL' : 'HF_WRITE_FAILED';
    throw new RaftError(code, reasonOf(cause), {}, { cause });
  }
}

function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/ENOSPC|no space left/i.test(at.message) || ('code' in at && at.code === 'ENOSPC')) return true;
  }
  return false;
}

function read(database: Database, key: Uint8Array): Uint8Array {
  const row = database.getSync(key);
  if (row === undefined) throw new RaftError('HF_WRITE_FAILED', 'The founding rows can not be read back.');
  return row;
}
