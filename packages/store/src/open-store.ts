// Opening the store, and its hull: entries in, verdicts and effects out, views for whoever reads.
//
// It never writes: the effects of what was applied are handed out and written by the one writer of the database,
// together with the log (one turn, one write).

import { type Before, EntryRows } from './apply/entry/entry-rows.ts';
import type { TopicState } from './apply/entry/topic-draft.ts';
import { changedTopicRows, type RowChange } from './apply/entry/topic-rows.ts';
import { applyCommand } from './apply.ts';
import { defaultLimits, type StoreLimits } from './bounds.ts';
import type { ChangeListener } from './change.ts';
import { decodeCommand } from './codec/decode.ts';
import { Catalog } from './read/catalog.ts';
import { checkState } from './read/check.ts';
import { Layers } from './read/layers.ts';
import { checkWhole, loadState } from './read/load.ts';
import { LowWater } from './read/low-water.ts';
import { SnapshotView } from './read/snapshot-view.ts';
import { encodeMark } from './rows/ended-row.ts';
import { Keyspace } from './rows/keyspace.ts';
import { encodeMeta, type Meta } from './rows/meta-row.ts';
import { decodeStamp } from './stamp.ts';
import { hashAfter, stateHashOf } from './state-hash.ts';
import type { StateReader } from './state-reader.ts';
import type { Effect, Store } from './store.ts';
import { exportState } from './transfer/export.ts';
import { importRows } from './transfer/import.ts';
import type { StateExport, StateRow } from './transfer/row.ts';
import type { Verdict } from './verdict.ts';
import type { View } from './view.ts';

export interface StoreOptions {
  /** Read only. Whoever writes the effects opens and closes it. */
  readonly database: StateReader;
  /** Equal on all replicas, and for ever: apply depends on them. */
  readonly limits?: Partial<StoreLimits>;
  readonly changeListener?: ChangeListener;
  /** Which of the states in the database is the one in force; a directory begins with 1. */
  readonly generation?: number;
}

const firstGeneration = 1;

/**
 * @returns the state as it was written last; raft applies what its log has beyond `applied`
 * @throws CorruptRow
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const keys = new Keyspace(options.generation ?? firstGeneration);
  const { meta, topics } = await loadState(options.database, keys);
  return new MessageStore(options, keys, meta, topics);
}

/** What was thrown while an entry was applied. The node stops: nothing of the entry was made visible or handed out. */
class ApplyFailed extends Error {
  override readonly name = 'ApplyFailed';
}

class MessageStore implements Store {
  readonly #database: StateReader;
  readonly #limits: StoreLimits;
  // Replaced as a whole when another generation is adopted: what a view has of them stays as it is [P7].
  #keys: Keyspace;
  #layers = new Layers();
  #catalog = new Catalog();
  #lowWater = new LowWater();
  #meta: Meta;
  #listener: ChangeListener | undefined;
  #entry: EntryRows | undefined;
  #commands = 0;
  #failure: ApplyFailed | undefined;

  constructor(options: StoreOptions, keys: Keyspace, meta: Meta, topics: ReadonlyMap<number, TopicState>) {
    this.#database = options.database;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#listener = options.changeListener;
    this.#keys = keys;
    this.#meta = meta;
    this.#catalog.publish(topics);
  }

  get applied(): { readonly index: number; readonly term: number } {
    return { index: this.#meta.appliedIndex, term: this.#meta.appliedTerm };
  }

  get clockMs(): number {
    return this.#meta.clockMs;
  }

  get seq(): number {
    return this.#meta.seq;
  }

  get epoch(): number {
    return this.#meta.epoch;
  }

  get stateHash(): string {
    return stateHashOf(this.#meta);
  }

  get activeVersion(): number {
    return this.#meta.activeVersion;
  }

  get releaseFrom(): { readonly term: number; readonly fromMs: number } {
    return { term: this.#meta.beginTerm, fromMs: this.#meta.releaseFromMs };
  }

  get pendingBytes(): number {
    return this.#layers.pendingBytes;
  }

  begin(entry: { readonly index: number; readonly term: number; readonly header: Uint8Array }): void {
    const { appliedIndex, appliedTerm } = this.#meta;
    this.#guard(`begin of entry ${entry.index}`, () => {
      if (this.#entry !== undefined) throw new Error('the entry before it has not ended');
      if (entry.index !== appliedIndex + 1) throw new Error(`the one applied before it is ${appliedIndex}`);
      if (entry.term < appliedTerm) throw new Error(`its term is ${entry.term}, of the one before it ${appliedTerm}`);
      this.#entry = new EntryRows(this.#before(), entry, decodeStamp(entry.header), this.#keys, this.#limits);
      this.#commands = 0;
    });
  }

  command(bytes: Uint8Array): Verdict {
    return this.#guard(
      () => `command ${this.#commands} of entry ${this.#entry?.meta.appliedIndex}`,
      () => {
        if (this.#entry === undefined) throw new Error('no entry was begun');
        const command = decodeCommand(bytes);
        const verdict: Verdict =
          command === undefined ? { kind: 'refused', code: 'undecodable' } : applyCommand(this.#entry, command);
        this.#commands += 1;
        return verdict;
      },
    );
  }

  end(): void {
    this.#guard('end of an entry', () => {
      if (this.#entry === undefined) throw new Error('no entry was begun');
      const { meta, rows, topics, sum } = this.#entry.result();
      const { changes } = this.#entry;
      if (this.#meta.appliedIndex === 0) putRow(rows, encodeMark(this.#keys.single('fence')));
      for (const [number, topic] of topics) {
        for (const row of changedTopicRows(this.#keys, this.#catalog.topic(number), topic, sum)) putRow(rows, row);
      }
      const ended = { ...meta, hash: hashAfter(meta, rows, sum) };
      putRow(rows, encodeMeta(this.#keys.single('meta'), ended));
      // From here on everything of the entry is visible, and nothing can fail.
      this.#layers.add(rows);
      this.#catalog.publish(topics);
      this.#meta = ended;
      this.#entry = undefined;
      if (changes.length > 0) this.#listener?.(changes, ended.clockMs);
    });
  }

  takeEffects(): readonly Effect[] {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#layers.take();
  }

  effectsWritten(): void {
    this.#layers.written();
  }

  exportState(): StateExport {
    return exportState(this.#database, this.#keys);
  }

  importRows(generation: number, rows: readonly StateRow[]): readonly Effect[] {
    return importRows(new Keyspace(generation), rows);
  }

  async adopt(generation: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const keys = new Keyspace(generation);
    const { meta, topics } = await loadState(this.#database, keys);
    checkWhole(this.#database, keys);
    // Apply has stopped before the flip: an entry, or a turn, of the state before would end in the new one [P6].
    if (this.#entry !== undefined) throw new Error(`generation ${generation} is adopted in the middle of an entry`);
    if (this.#layers.inFlight) throw new Error(`generation ${generation} is adopted while a turn is written`);
    const { appliedIndex } = this.#meta;
    if (meta.appliedIndex < appliedIndex)
      throw new Error(`generation ${generation} stands at ${meta.appliedIndex}, before ${appliedIndex}`);
    this.#keys = keys;
    this.#layers = new Layers();
    this.#catalog = new Catalog();
    this.#catalog.publish(topics);
    this.#lowWater = new LowWater();
    this.#meta = meta;
  }

  view(): View {
    return this.#view();
  }

  listen(listener: ChangeListener | undefined): void {
    this.#listener = listener;
  }

  async check(): Promise<readonly string[]> {
    const parts = this.#parts();
    try {
      return await checkState(parts);
    } finally {
      await parts.snapshot.close();
    }
  }

  #view(): SnapshotView {
    return new SnapshotView(this.#parts());
  }

  // In one step, without a wait: between the snapshot and the layers no turn may come to its end [P1].
  #parts() {
    return {
      database: this.#database,
      snapshot: this.#database.snapshot(),
      layers: this.#layers.freeze(),
      keys: this.#keys,
      meta: this.#meta,
      catalog: this.#catalog.share(),
      lowWater: this.#lowWater,
    };
  }

  #before(): Before {
    const catalog = this.#catalog;
    return {
      meta: this.#meta,
      topicCount: catalog.size,
      topic: (number) => catalog.topic(number),
      topicNumber: (name) => catalog.topicNumber(name),
      read: (id, key) => {
        const pending = this.#layers.get(id);
        return pending === undefined ? this.#database.getSync(key) : pending.value;
      },
    };
  }

  // After a failure every further step fails: a node that went on would differ from the others.
  #guard<T>(what: string | (() => string), step: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return step();
    } catch (cause) {
      const where = typeof what === 'string' ? what : what();
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#failure = new ApplyFailed(`${where} failed: ${why}`, { cause });
      throw this.#failure;
    }
  }
}

function putRow(rows: Map<string, Effect>, row: RowChange): void {
  rows.set(row.key.toString('latin1'), row);
}
