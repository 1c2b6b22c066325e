// A core with a disk in memory: what a driver does, step by step, in the hands of a test.
import type { Core, CoreConfig, CoreStatus, LogReader } from '../../src/core/core.ts';
import { createCore } from '../../src/core/core.ts';
import { type ConfigMember, type Configuration, decodeConfiguration } from '../../src/core/membership/configuration.ts';
import type { LoggedConfiguration } from '../../src/core/membership/roster.ts';
import type { Entry, EntryKind, Message, NodeId } from '../../src/core/message.ts';
import type { HardState, ReadState, Write } from '../../src/core/ready.ts';

/** Uniform in [0, 1), decided by the seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x45d9f3b);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

export const command = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (entry: Entry): string => new TextDecoder().decode(entry.payload);

/** Of an encoded entry here. */
export const headerBytes = 4;

export function encode(index: number, term: number, kind: EntryKind, payload: Uint8Array): Entry {
  return { index, term, kind, payload, bytes: new Uint8Array(headerBytes + payload.length) };
}

/** One entry for each term given. */
export function entriesOf(terms: readonly number[], firstIndex = 1): Entry[] {
  return terms.map((term, at) => encode(firstIndex + at, term, 'commands', command('x')));
}

/** What is in a snapshot of a state that is the list of all applied entries. */
export interface TestState {
  readonly entries: readonly Entry[];
  readonly configuration: Configuration;
}

export class TestDisk implements LogReader {
  /** What is before it stays in `log`, for the judge, and is not shown. */
  firstIndex = 1;
  hardState: HardState;
  log: Entry[];
  /** States that lie here beside the log, by generation. */
  readonly states = new Map<number, TestState>();
  /** What the state says that the log began with. */
  base: LoggedConfiguration | undefined;

  constructor(terms: readonly number[] = [], hardState?: HardState) {
    this.log = entriesOf(terms);
    this.hardState = hardState ?? { term: terms.at(-1) ?? 0, vote: undefined };
  }

  get lastIndex(): number {
    return this.log.length;
  }

  term(index: number): number | undefined {
    if (index === 0) return 0;
    return index < this.firstIndex - 1 ? undefined : this.log[index - 1]?.term;
  }

  compact(firstIndex: number): void {
    this.firstIndex = Math.max(this.firstIndex, firstIndex);
  }

  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[] {
    if (from < this.firstIndex) throw new Error(`${from} is compacted`);
    let to = from;
    let bytes = this.log[from - 1]?.bytes.length ?? 0;
    while (to < toInclusive && (bytes += this.log[to]?.bytes.length ?? 0) <= maxBytes) to += 1;
    return this.log.slice(from - 1, to);
  }

  write(write: Write): void {
    this.hardState = write.hardState ?? this.hardState;
    if (write.restore !== undefined) {
      const { index, generation } = write.restore;
      this.log = [...(this.states.get(generation)?.entries ?? [])];
      if (this.log.length !== index) throw new Error(`generation ${generation} is not whole`);
      this.firstIndex = index + 1;
      this.base = { index, configuration: write.restore.configuration };
    }
    if (write.truncateFrom !== undefined) this.log.length = write.truncateFrom - 1;
    for (const entry of write.entries) {
      if (entry.index !== this.log.length + 1) throw new Error(`a hole before ${entry.index}`);
      this.log.push(entry);
    }
  }
}

const noMembers: Configuration = { voters: [], learners: [] };

export const memberOf = (id: NodeId): ConfigMember => ({ id, incarnation: `${id}-1`, address: `${id}:1` });

export const ofVoters = (voters: readonly NodeId[], learners: readonly NodeId[] = []): Configuration => ({
  voters: voters.map(memberOf),
  learners: learners.map(memberOf),
});

export const defaults = {
  heartbeatTicks: 2,
  electionMinTicks: 10,
  electionMaxTicks: 20,
  fastElectionTicks: 2,
  maxAppendBytes: 64,
  maxInflightAppends: 4,
  maxInflightBytes: 256,
  maxUncommittedBytes: 1024,
  maxApplyBytes: 64,
} satisfies Partial<CoreConfig>;

/** A process: the core, its disk, and what the driver holds in between. Nothing moves unless it is told to. */
export class Member {
  readonly id: NodeId;
  readonly config: CoreConfig;
  /** The voters at index 0; none for a node that joins. */
  readonly founders: readonly NodeId[];
  readonly disk: TestDisk;
  core: Core;
  writing: Write | undefined;
  /** Applied since the first start; index 1 first. Survives a restart, as effects on a disk do. */
  readonly applied: Entry[] = [];
  applies = true;
  /** Answers to `readIndex`, in order. */
  readonly reads: ReadState[] = [];
  /** Who was said to need the state. */
  readonly snapshotsFor: NodeId[] = [];
  #unapplied: Entry[] = [];

  constructor(id: NodeId, voters: readonly NodeId[], config: Partial<CoreConfig> = {}, disk = new TestDisk()) {
    this.id = id;
    this.founders = voters;
    this.config = { ...defaults, id, random: () => 0, encode, ...config };
    this.disk = disk;
    this.core = this.#start();
  }

  get status(): CoreStatus {
    return this.core.status();
  }

  /** One turn of a driver; a write that it starts is in flight until `finishWrite`. Returns what leaves at once. */
  turn(): readonly Message[] {
    const ready = this.core.ready({ canWrite: this.writing === undefined });
    if (ready.write !== undefined) this.writing = ready.write;
    this.#unapplied.push(...ready.committed);
    this.reads.push(...ready.readStates);
    this.snapshotsFor.push(...ready.snapshotsFor);
    if (this.applies) this.apply();
    return ready.messages;
  }

  /** The write in flight is durable. Returns what may leave now. */
  finishWrite(): readonly Message[] {
    const write = this.writing;
    if (write === undefined) return [];
    this.writing = undefined;
    this.persist(write);
    const last = write.entries.at(-1);
    this.core.advance({ kind: 'written', lastIndex: last?.index ?? 0, lastTerm: last?.term ?? 0 });
    return write.messagesAfterWrite;
  }

  /** Turns and writes until there is nothing more to do; everything that leaves, in order. */
  settle(): Message[] {
    const sent: Message[] = [];
    for (let quiet = false; !quiet; ) {
      const before = this.applied.length;
      const leaving = this.turn();
      const wrote = this.writing !== undefined;
      sent.push(...leaving, ...this.finishWrite());
      quiet = leaving.length === 0 && !wrote && this.applied.length === before;
    }
    return sent;
  }

  /** The state as it is applied here. */
  state(): TestState {
    const configuration = this.configurations(this.applied.length).at(-1)?.configuration ?? noMembers;
    return { entries: [...this.applied], configuration };
  }

  /** As founded, and as the entries up to there say. */
  configurations(to = Number.POSITIVE_INFINITY): LoggedConfiguration[] {
    const founded: LoggedConfiguration[] =
      this.founders.length === 0 ? [] : [{ index: 0, configuration: ofVoters(this.founders) }];
    const { base, log } = this.disk;
    if (base !== undefined && base.index <= to) founded.push(base);
    for (const { kind, index, payload } of log) {
      if (base !== undefined && index <= base.index) continue;
      const configuration = kind === 'configuration' && index <= to ? decodeConfiguration(payload) : undefined;
      if (configuration !== undefined) founded.push({ index, configuration });
    }
    return founded;
  }

  /** A state of another member lies on this disk, whole. */
  restore(state: TestState): 'accepted' | 'unneeded' {
    const last = state.entries.at(-1);
    if (last === undefined) throw new Error('there is no state of nothing');
    const generation = this.disk.states.size + 1;
    this.disk.states.set(generation, state);
    const { index, term } = last;
    return this.core.restore({ index, term, configuration: state.configuration, generation });
  }

  /** The write reaches the disk, and with it what it does to the state. */
  persist(write: Write): void {
    this.disk.write(write);
    if (write.restore === undefined) return;
    if (this.#unapplied.length > 0) throw new Error('the state changes under what is being applied');
    this.applied.splice(0, Number.POSITIVE_INFINITY, ...this.disk.log);
  }

  apply(): void {
    const entries = this.#unapplied;
    this.#unapplied = [];
    const last = entries.at(-1);
    if (last === undefined) return;
    this.applied.push(...entries);
    this.core.advance({ kind: 'applied', index: last.index });
  }

  /** What was not durable is gone. */
  restart(): void {
    this.writing = undefined;
    this.#unapplied = [];
    this.core = this.#start();
  }

  tick(ticks = 1): void {
    for (let tick = 0; tick < ticks; tick += 1) this.core.tick();
  }

  #start(): Core {
    const { disk, config } = this;
    const configurations = this.configurations();
    return createCore(config, { hardState: disk.hardState, log: disk, applied: this.applied.length, configurations });
  }
}
