// The log on LevelDB: one synced batch a turn, the effects of applied entries in it. So log and state can never disagree.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';
import type { HardState } from '../core/ready.ts';
import { RaftError } from '../raft-error.ts';
import type { Effects } from '../state-machine.ts';
import type { Batch, Database } from './database.ts';
import { EntryCache } from './entry-cache.ts';
import type { Founding } from './founding.ts';
import { encodeGenerations, type Generations } from './generations.ts';
import {
  checkIdentity,
  decodeIdentity,
  encodeIdentity,
  type Identity,
  type Membership,
  newIdentity,
} from './identity.ts';
import { entryKey, generationsKey, identityKey, isStateOf, logSpace, turnKey } from './keyspace.ts';
import { planFlip, queueFlip } from './level/flip.ts';
import { found } from './level/found.ts';
import { LogImage } from './level/image.ts';
import { SingleWriter } from './level/single-writer.ts';
import { Sweep } from './level/sweep.ts';
import { planTurn, queueConfigurations, queueEntries } from './level/turn-batch.ts';
import type { LoggedConfiguration, LogStore, Restore, Turn } from './log-store.ts';
import { type Recovered, recover } from './recover.ts';
import { encodeTurnRow } from './turn-row.ts';
import { TurnWindow } from './turn-window.ts';

/** What `openLevelLog` needs: a database, and whose log it is or is to be. */
export interface LevelLogOptions extends Membership {
  /** Open, with keys and values as bytes. Stays open when the log is closed. */
  readonly database: Database;
  /** Index of the last entry whose effects the database holds; 0 for none. */
  readonly applied: number;
  /** Uniform in [0, 1): the incarnation of a new directory is drawn from it. */
  readonly random: () => number;
  /** LevelDB's `writeBufferSize`, 16 MiB when absent: turn rows are kept for two of them, so it must not be less than it is. */
  readonly writeBufferBytes?: number | undefined;
  /** Of the newest entries, held in memory; 4 MiB when absent. */
  readonly cacheBytes?: number;
}

const defaultWriteBufferBytes = 16 * 2 ** 20;
const defaultCacheBytes = 4 * 2 ** 20;
const maxTurnRows = 65_536;
/** Rows of compacted entries that one turn deletes at most. */
const maxDeletedEntries = 1024;
/** For rows that are written beside the driver's turns. */
const emptyTurn = { hardState: undefined, truncateFrom: undefined, entries: [] } as const;

/**
 * Opens the log in a database, or founds it when the database is empty.
 *
 * @throws RaftError HF_WRONG_MEMBER, HF_WRONG_CLUSTER, HF_LOG_CORRUPT, HF_LOG_GAP, HF_LOG_FORMAT: nothing was changed
 * @throws RaftError HF_WRITE_FAILED, HF_DISK_FULL when the log could not be founded
 * @throws RangeError, AssertionError where `id` and `members` can found no cluster: see `newIdentity`
 */
export async function openLevelLog(options: LevelLogOptions): Promise<LogStore> {
  const { database, applied, random } = options;
  const writer = new SingleWriter(database);
  const row = database.getSync(identityKey);
  if (row === undefined) await found(database, writer, newIdentity(options, random));
  else checkIdentity(decodeIdentity(row), options);
  const identity = decodeIdentity(row ?? read(database, identityKey));
  const cache = new EntryCache(options.cacheBytes ?? defaultCacheBytes);
  const recovered = await recover(database, applied, (entry) => cache.append(entry));
  const keptBytes = 2 * (options.writeBufferBytes ?? defaultWriteBufferBytes);
  const turns = new TurnWindow(keptBytes, maxTurnRows, recovered.last.oldestTurn, recovered.batchBytes);
  const image = new LogImage(database, cache, recovered);
  return new LevelLog(database, writer, identity, image, turns, recovered);
}

class LevelLog implements LogStore {
  readonly #database: Database;
  readonly #writer: SingleWriter;
  readonly #image: LogImage;
  readonly #turns: TurnWindow;
  #identity: Identity;
  #generations: Generations;
  /** Below it no entry has a row any more. */
  #oldestEntryRow: number;
  /** The generation that was drawn last, unless the log moved to it. */
  #imported: number | undefined;
  #sweep: Sweep | undefined;
  #isSweeping = false;

  constructor(
    database: Database,
    writer: SingleWriter,
    identity: Identity,
    image: LogImage,
    turns: TurnWindow,
    { generations, oldestEntryRow }: Pick<Recovered, 'generations' | 'oldestEntryRow'>,
  ) {
    this.#database = database;
    this.#writer = writer;
    this.#identity = identity;
    this.#image = image;
    this.#turns = turns;
    this.#generations = generations;
    this.#oldestEntryRow = oldestEntryRow;
  }

  get identity(): Identity {
    return this.#identity;
  }

  get hardState(): HardState {
    return this.#image.last.hardState;
  }

  get firstIndex(): number {
    return this.#image.last.firstIndex;
  }

  get lastIndex(): number {
    return this.#image.last.lastIndex;
  }

  get logBytes(): number {
    return this.#image.last.logBytes;
  }

  get generation(): number {
    return this.#image.last.generation;
  }

  get configurations(): readonly LoggedConfiguration[] {
    return this.#image.configurations.all;
  }

  get unswept(): number {
    return this.#generations.unswept.filter((generation) => generation !== this.#imported).length;
  }

  term(index: number): number | undefined {
    return this.#image.term(index);
  }

  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[] {
    return this.#image.entries(from, toInclusive, maxBytes);
  }

  entryBytes(index: number): number {
    return this.#image.entryBytes(index);
  }

  write(turn: Turn): Promise<void> {
    const { restore } = turn;
    return this.#writer.writeTurn((batch) =>
      restore === undefined ? this.#queueTurn(batch, turn) : this.#queueFlip(batch, turn, restore),
    );
  }

  async newGeneration(): Promise<number> {
    let drawn = 0;
    await this.#writer.writeBeside((batch) => {
      const highest = this.#generations.highest + 1;
      drawn = highest;
      const next = { highest, unswept: [...this.#generations.unswept, highest] };
      batch.put(generationsKey, encodeGenerations(next));
      const shown = this.#queueTurn(batch, { ...emptyTurn, effects: [] });
      return () => {
        this.#generations = next;
        this.#imported = highest;
        shown();
      };
    });
    return drawn;
  }

  /** With a turn row of its own: rows that LevelDB drops when it opens would be missed by nobody otherwise. */
  writeImport(generation: number, effects: Effects): Promise<void> {
    return this.#writer.writeBeside((batch) => {
      assert(generation === this.#imported, `generation ${generation} is not being imported`);
      for (const { key, value } of effects)
        assert(value !== undefined && isStateOf(generation, key), 'a row of another generation');
      return this.#queueTurn(batch, { ...emptyTurn, effects });
    });
  }

  /** A write of its own, so that the rows which were on their way are on the disk before they are looked for. */
  dropImport(generation: number): Promise<void> {
    return this.#writer.writeBeside((batch) => {
      batch.put(generationsKey, encodeGenerations(this.#generations));
      return () => {
        if (this.#imported === generation) this.#imported = undefined;
      };
    });
  }

  async sweep(): Promise<void> {
    assert(!this.#isSweeping, 'two sweeps at a time');
    const generation = this.#generations.unswept.find((unswept) => unswept !== this.#imported);
    if (generation === undefined) return;
    this.#isSweeping = true;
    try {
      if (this.#sweep?.generation !== generation) this.#sweep = new Sweep(this.#database, generation);
      const keys = await this.#sweep.next();
      await this.#writer.writeBeside((batch) => {
        for (const key of keys ?? []) batch.del(key);
        return keys === undefined ? this.#queueSwept(batch, generation) : () => undefined;
      });
    } finally {
      this.#isSweeping = false;
    }
  }

  writeFounding(founding: Founding): Promise<void> {
    return this.#writer.writeTurn((batch) => {
      const identity = { ...this.#identity, founding };
      batch.put(identityKey, encodeIdentity(identity));
      return () => {
        this.#identity = identity;
      };
    });
  }

  close(): Promise<void> {
    return this.#writer.idle();
  }

  #queueTurn(batch: Batch, turn: Turn): () => void {
    const { last } = this.#image;
    const plan = planTurn(this.#image, turn);
    const next = { ...plan, oldestTurn: this.#turns.add(plan.batchBytes) };
    queueEntries(batch, this.#image, turn, next);
    const configurations = queueConfigurations(batch, this.#image, turn, next);
    for (const { key, value } of turn.effects) {
      assert((key[0] ?? 0) > logSpace, 'a key of the state machine lies in the space of the log');
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    for (let old = last.oldestTurn; old < next.oldestTurn; old++) batch.del(turnKey(old));
    // Only what the bound of an earlier turn hides: that one is on the disk.
    const oldestEntryRow = Math.min(last.firstIndex, this.#oldestEntryRow + maxDeletedEntries);
    for (let index = this.#oldestEntryRow; index < oldestEntryRow; index++) batch.del(entryKey(last.generation, index));
    batch.put(turnKey(next.turn), encodeTurnRow(next));
    return () => {
      this.#oldestEntryRow = oldestEntryRow;
      this.#image.show(turn, next, configurations);
    };
  }

  #queueFlip(batch: Batch, turn: Turn, restore: Restore): () => void {
    const { last } = this.#image;
    const isAlone = turn.entries.length + turn.effects.length === 0 && turn.truncateFrom === undefined;
    assert(isAlone && turn.compactTo === undefined, 'a flip holds nothing else');
    const plan = planFlip(last, turn.hardState, restore, this.#imported);
    const next = { ...plan, oldestTurn: this.#turns.add(plan.batchBytes) };
    const { highest } = this.#generations;
    const dead = this.#generations.unswept.filter((generation) => generation !== restore.generation);
    const generations = { highest, unswept: [...dead, last.generation].sort((a, b) => a - b) };
    queueFlip(batch, restore, generations);
    for (let old = last.oldestTurn; old < next.oldestTurn; old++) batch.del(turnKey(old));
    batch.put(turnKey(next.turn), encodeTurnRow(next));
    return () => {
      this.#generations = generations;
      this.#imported = undefined;
      this.#oldestEntryRow = next.firstIndex;
      this.#image.showFlip(restore, next);
    };
  }

  #queueSwept(batch: Batch, generation: number): () => void {
    const { highest, unswept } = this.#generations;
    const next = { highest, unswept: unswept.filter((other) => other !== generation) };
    batch.put(generationsKey, encodeGenerations(next));
    return () => {
      this.#generations = next;
    };
  }
}

function read(database: Database, key: Uint8Array): Uint8Array {
  const row = database.getSync(key);
  if (row === undefined) throw new RaftError('HF_WRITE_FAILED', 'The founding rows can not be read back.');
  return row;
}
