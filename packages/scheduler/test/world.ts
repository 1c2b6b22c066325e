// One replica's store on memory-level, a log whose tail takes its time, and the leadership under test on top.
import {
  type Command,
  type CommandKind,
  type CommandOf,
  encodeCommand,
  encodeStamp,
  type GroupConfig,
  openStore,
  type Position,
  type Store,
  type StoreLimits,
  type Verdict,
  type VerdictOf,
  type View,
} from '@holdfast/store';
import { MemoryLevel } from 'memory-level';
import {
  createScheduler,
  type Delivery,
  type Proposal,
  type ReceiveAnswer,
  type ReceiveRequest,
  type Scheduler,
  type SchedulerConfig,
} from '../src/index.ts';
import { ManualClock } from './manual-clock.ts';

interface TailEntry {
  readonly term: number;
  readonly header: Uint8Array;
  readonly commands: readonly Uint8Array[];
  readonly ended: (verdicts: readonly Verdict[] | 'unknown') => void;
}

/** What becomes of a proposal before it reaches the log. */
export type Fate = 'append' | 'refuse' | 'appendAndForget' | 'loseAndForget' | 'loseLate';

/** Cluster time at the beginning of every test. */
const epochMs = 1_000_000_000;

export const quickConfig: GroupConfig = { maxAttempts: 5, backoffFirstMs: 100, backoffMaxMs: 1_000 };

/** So many messages with the same delay. */
export function times(count: number, delayMs: number): readonly number[] {
  return Array.from({ length: count }, () => delayMs);
}

export class World {
  readonly clock = new ManualClock();
  readonly database: MemoryLevel<Uint8Array, Uint8Array>;
  store: Store;
  scheduler: Scheduler | undefined;
  /** From closed to applied. */
  commitMs = 1;
  /** What a scan of a view takes; entries are applied meanwhile. */
  scanMs = 0;
  isDoubtful = false;
  /** Every voter's clock jumped by so much. */
  jumpMs = 0;
  /** Answers that run out by then are old enough. */
  answersAgedMs = Number.POSITIVE_INFINITY;
  /** Fewer than a quorum of clocks is known: the stamp stands still. */
  stoppedAtMs: number | undefined;
  fateOf: (command: Command) => Fate = () => 'append';
  term = 0;
  config: SchedulerConfig;
  readonly proposed: Command[] = [];
  readonly faults: unknown[] = [];
  readonly lateness: number[] = [];
  readonly tail: TailEntry[] = [];
  #gathering: { bytes: Uint8Array; ended: (verdict: Verdict | 'unknown') => void }[] = [];
  #activity = 0;
  #writing = false;
  #needsWrite = false;
  #receives = 0;

  private constructor(database: MemoryLevel<Uint8Array, Uint8Array>, store: Store, config: SchedulerConfig) {
    this.database = database;
    this.store = store;
    this.config = config;
  }

  static async open(config: SchedulerConfig = {}, limits: Partial<StoreLimits> = {}): Promise<World> {
    const database = new MemoryLevel<Uint8Array, Uint8Array>({ keyEncoding: 'view', valueEncoding: 'view' });
    await database.open();
    return new World(database, await openStore({ database, limits }), { commitBudgetMs: 4, ...config });
  }

  stampMs(): number {
    const medianMs = epochMs + this.jumpMs + Math.floor(this.clock.monotonicMs());
    return this.stoppedAtMs ?? Math.max(this.store.clockMs, medianMs);
  }

  /** A leadership begins: its own empty entry is applied, then the scheduler starts. */
  async lead(): Promise<Scheduler> {
    this.term++;
    const term = this.term;
    this.#apply({ term, header: new Uint8Array(), commands: [], ended: () => {} });
    const scheduler = createScheduler(
      {
        store: this.#slowed(this.store),
        propose: (command) => this.#proposeAs(term, command),
        stampMs: () => this.stampMs(),
        answersAgedMs: () => this.answersAgedMs,
        clock: this.clock,
        random: () => 0.5,
        inDoubt: () => this.isDoubtful,
        onDelivered: (_topic, latenessMs) => this.lateness.push(latenessMs),
        onFault: (error) => this.faults.push(error),
      },
      this.config,
    );
    this.scheduler = scheduler;
    void scheduler.start();
    await this.advance(this.commitMs);
    return scheduler;
  }

  /** kill -9: of the tail, `kept` entries reach a majority all the same, and nobody hears how they ended. */
  async kill(kept = Number.POSITIVE_INFINITY): Promise<void> {
    this.scheduler?.stop();
    this.scheduler = undefined;
    this.#gathering = [];
    const survivors = this.tail.splice(0).slice(0, kept);
    for (const entry of survivors) {
      this.#apply(entry);
      entry.ended('unknown');
    }
    await this.settle();
  }

  /** A client's command: through the log, like the scheduler's. */
  async apply<K extends CommandKind>(command: CommandOf<K> & Command): Promise<VerdictOf<K>> {
    const ended = this.#append<K>(this.term, command);
    await this.advance(this.commitMs);
    const proposal = await ended;
    if (proposal.kind !== 'applied') throw new Error(`${command.kind} ended ${proposal.kind}`);
    return proposal.verdict;
  }

  /** All answers to idempotency keys that are kept. */
  async answers(): Promise<Awaited<ReturnType<View['dueAnswers']>>> {
    const view = this.store.view();
    const answers = await view.dueAnswers(2 ** 47, 100);
    await view.close();
    return answers;
  }

  async createGroup(
    topic: string,
    group: string,
    config: GroupConfig = quickConfig,
  ): Promise<{ topic: number; group: number }> {
    const start = { kind: 'earliest' } as const;
    const verdict = await this.apply<'createGroup'>({
      kind: 'createGroup',
      topic,
      group,
      start,
      config,
      replaceConfig: false,
    });
    if (verdict.kind !== 'group') throw new Error(`createGroup: ${verdict.code}`);
    return { topic: verdict.topic, group: verdict.group };
  }

  /** @param delaysMs from now, one message each */
  async schedule(topic: string, delaysMs: readonly number[], body = 'body'): Promise<readonly Position[]> {
    const messages = delaysMs.map((delayMs) => ({
      at: { kind: 'delay', delayMs } as const,
      headers: new Uint8Array(),
      body: Buffer.from(body),
    }));
    const verdict = await this.apply<'schedule'>({ kind: 'schedule', topic, messages, idempotency: undefined });
    if (verdict.kind !== 'scheduled') throw new Error(`schedule: ${verdict.code}`);
    return verdict.positions;
  }

  /** A receive, and its answer once there is one. */
  receive(of: { topic: number; group: number }, asked: Partial<ReceiveRequest> = {}): Waiting {
    const request: ReceiveRequest = {
      ...of,
      receiveId: this.newReceiveId(),
      repeated: false,
      max: 1,
      leaseMs: 1_000,
      waitMs: 60_000,
      ...asked,
    };
    if (this.scheduler === undefined) throw new Error('nobody leads');
    return new Waiting(this.scheduler, request);
  }

  async ack(delivery: Delivery): Promise<void> {
    const { topic, group, position, token } = delivery;
    await this.apply<'ack'>({ kind: 'ack', topic, group, leases: [{ position, token }] });
  }

  newReceiveId(): Uint8Array {
    const id = Buffer.alloc(16);
    id.writeUInt32BE(++this.#receives, 12);
    return id;
  }

  async advance(byMs: number): Promise<void> {
    await this.clock.advance(byMs, () => this.settle());
  }

  /** Until neither the log nor the store's scans move any more. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const before = this.#activity;
      await new Promise(setImmediate);
      quiet = before === this.#activity && !this.#writing ? quiet + 1 : 0;
    }
  }

  /** The store, with scans that show what stood when their view was taken, and show it late. */
  #slowed(store: Store): Pick<Store, 'view' | 'listen' | 'clockMs' | 'releaseFrom'> {
    const slow = async <T>(rows: Promise<T>): Promise<T> => {
      const found = await rows;
      if (this.scanMs > 0) await new Promise<void>((resolve) => this.clock.after(this.scanMs, resolve));
      return found;
    };
    const scans: readonly (string | symbol)[] = ['holds', 'lane', 'retries', 'dueAnswers', 'dueEnded'];
    const slowed = (view: View): View =>
      new Proxy(view, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            const result: unknown = Reflect.apply(value, target, args);
            return scans.includes(name) && result instanceof Promise ? slow(result) : result;
          };
        },
      });
    return {
      view: () => slowed(store.view()),
      listen: (listener) => store.listen(listener),
      get clockMs() {
        return store.clockMs;
      },
      get releaseFrom() {
        return store.releaseFrom;
      },
    };
  }

  #proposeAs<K extends CommandKind>(term: number, command: CommandOf<K> & Command): Promise<Proposal<K>> {
    this.proposed.push(command);
    const fate = term === this.term ? this.fateOf(command) : 'refuse';
    if (fate === 'refuse') return Promise.resolve({ kind: 'notApplied', reason: 'overload' });
    if (fate === 'loseAndForget') return Promise.resolve({ kind: 'unknown' });
    if (fate === 'loseLate') {
      return new Promise((resolve) => this.clock.after(this.commitMs, () => resolve({ kind: 'unknown' })));
    }
    const ended = this.#append<K>(term, command);
    return fate === 'appendAndForget' ? Promise.resolve({ kind: 'unknown' }) : ended;
  }

  /** Commands of one turn of the program become one entry, closed at its end. */
  #append<K extends CommandKind>(term: number, command: Command): Promise<Proposal<K>> {
    this.#activity++;
    return new Promise((resolve) => {
      const ended = (verdict: Verdict | 'unknown'): void => {
        resolve(verdict === 'unknown' ? { kind: 'unknown' } : { kind: 'applied', verdict: verdict as VerdictOf<K> });
      };
      this.#gathering.push({ bytes: encodeCommand(command), ended });
      if (this.#gathering.length === 1) setImmediate(() => this.#close(term));
    });
  }

  #close(term: number): void {
    const gathered = this.#gathering.splice(0);
    if (gathered.length === 0) return;
    this.#activity++;
    const entry: TailEntry = {
      term,
      header: encodeStamp(this.stampMs()),
      commands: gathered.map(({ bytes }) => bytes),
      ended: (verdicts) =>
        gathered.forEach(({ ended }, index) =>
          ended(verdicts === 'unknown' ? verdicts : (verdicts[index] ?? 'unknown')),
        ),
    };
    this.tail.push(entry);
    this.clock.after(this.commitMs, () => {
      // In order, whatever the delays; nothing, when a kill took the entry out of the tail.
      const upTo = this.tail.indexOf(entry) + 1;
      for (const due of this.tail.splice(0, upTo)) due.ended(this.#apply(due));
    });
  }

  #apply(entry: TailEntry): readonly Verdict[] {
    this.#activity++;
    const { header, term } = entry;
    this.store.begin({ index: this.store.applied.index + 1, term, header });
    const verdicts = entry.commands.map((bytes) => this.store.command(bytes));
    this.store.end();
    this.#needsWrite = true;
    void this.#write();
    return verdicts;
  }

  /** One turn at a time, so that views find applied effects in layers as often as on disk. */
  async #write(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    while (this.#needsWrite) {
      this.#needsWrite = false;
      await new Promise(setImmediate);
      const batch = this.database.batch();
      for (const { key, value } of this.store.takeEffects()) {
        if (value === undefined) batch.del(key);
        else batch.put(key, value);
      }
      await batch.write();
      this.store.effectsWritten();
    }
    this.#writing = false;
    this.#activity++;
  }
}

/** A receive that was sent. */
export class Waiting {
  readonly request: ReceiveRequest;
  readonly answered: Promise<ReceiveAnswer>;
  answer: ReceiveAnswer | undefined;
  readonly #abort = new AbortController();

  constructor(scheduler: Scheduler, request: ReceiveRequest) {
    this.request = request;
    this.answered = scheduler.receive(request, this.#abort.signal).then((answer) => {
      this.answer = answer;
      return answer;
    });
  }

  get deliveries(): readonly Delivery[] {
    return this.answer?.kind === 'deliveries' ? this.answer.deliveries : [];
  }

  walkAway(): void {
    this.#abort.abort();
  }
}
