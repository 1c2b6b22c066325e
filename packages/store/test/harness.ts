// A store on memory-level, with the driver's part played in a few lines: entries in, effects written in one batch a turn.
import { MemoryLevel } from 'memory-level';
import {
  type Change,
  type Command,
  type CommandKind,
  type CommandOf,
  encodeCommand,
  encodeStamp,
  openStore,
  type Store,
  type StoreLimits,
  type Verdict,
  type VerdictOf,
} from '../src/index.ts';

export type Database = MemoryLevel<Uint8Array, Uint8Array>;

/** `now`: every entry is written at once. `later`: nothing is written before `turn` and `durable` are called. */
export type Writing = 'now' | 'later';

export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly header: Uint8Array;
  readonly commands: readonly Uint8Array[];
}

export class Harness {
  readonly database: Database;
  readonly writing: Writing;
  readonly log: Entry[] = [];
  readonly changes: Change[] = [];
  store: Store;
  term = 1;
  /** Stamp of the next entry, ms since the epoch. */
  stampMs = 1_000_000;
  readonly #limits: Partial<StoreLimits>;
  #inFlight: (() => Promise<void>)[] = [];

  private constructor(database: Database, store: Store, writing: Writing, limits: Partial<StoreLimits>) {
    this.database = database;
    this.store = store;
    this.writing = writing;
    this.#limits = limits;
    this.store.listen((changes) => this.changes.push(...changes));
  }

  static async open(options: { writing?: Writing; limits?: Partial<StoreLimits> } = {}): Promise<Harness> {
    const { writing = 'now', limits = {} } = options;
    const database: Database = new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' });
    await database.open();
    return new Harness(database, await openStore({ database, limits }), writing, limits);
  }

  /** One command in an entry of its own. */
  async apply<K extends CommandKind>(command: CommandOf<K> & { readonly kind: K }): Promise<VerdictOf<K>> {
    const [verdict] = await this.entry([command]);
    return verdict as VerdictOf<K>;
  }

  async entry(commands: readonly Command[], options: { stamped?: boolean } = {}): Promise<readonly Verdict[]> {
    const header = options.stamped === false ? new Uint8Array() : encodeStamp(this.stampMs);
    return this.raw(commands.map(encodeCommand), header);
  }

  async raw(
    commands: readonly Uint8Array[],
    header: Uint8Array = encodeStamp(this.stampMs),
  ): Promise<readonly Verdict[]> {
    const entry = { index: this.log.length + 1, term: this.term, header, commands };
    this.log.push(entry);
    const verdicts = this.#applyEntry(entry);
    if (this.writing === 'now') {
      this.turn();
      await this.durable();
    }
    return verdicts;
  }

  /** A turn takes what was applied; it is on disk when `durable` has resolved. */
  turn(): void {
    const effects = this.store.takeEffects();
    this.#inFlight.push(async () => {
      const batch = this.database.batch();
      for (const { key, value } of effects) {
        if (value === undefined) batch.del(key);
        else batch.put(key, value);
      }
      await batch.write();
      this.store.effectsWritten();
    });
  }

  async durable(): Promise<void> {
    const [write] = this.#inFlight;
    this.#inFlight = this.#inFlight.slice(1);
    await write?.();
  }

  get turnsInFlight(): number {
    return this.#inFlight.length;
  }

  /** Everything that was not written is gone; the log is not, and is applied again from where the state stands. */
  async crash(): Promise<void> {
    this.#inFlight = [];
    this.store = await openStore({ database: this.database, limits: this.#limits });
    this.store.listen((changes) => this.changes.push(...changes));
    for (const entry of this.log.slice(this.store.applied.index)) this.#applyEntry(entry);
  }

  #applyEntry(entry: Entry): readonly Verdict[] {
    this.store.begin(entry);
    const verdicts = entry.commands.map((bytes) => this.store.command(bytes));
    this.store.end();
    return verdicts;
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);

/** A receive id that is the same in every run. */
export const receiveId = (number: number): Uint8Array => Buffer.alloc(16, number);
