// Members of a group in one process, on a clock that only a test moves.
import { setImmediate } from 'node:timers/promises';
import {
  type Clock,
  createRaftNode,
  defaultTiming,
  type LogStore,
  MemoryLog,
  MemoryNetwork,
  type Message,
  type NodeId,
  type RaftNode,
  type Retention,
  type Transport,
  type Turn,
} from '../src/index.ts';
import { Notebook } from './notebook.ts';

export { Notebook } from './notebook.ts';

export const timing = defaultTiming;

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: Timer[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_000_000 + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Time passes without any timer being called: the process stood still. */
  standStill(forMs: number): void {
    this.#nowMs += forMs;
  }

  /** Calls the next timer, and waits for what follows from it. */
  async step(): Promise<void> {
    let next = this.#timers[0];
    for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
    if (next === undefined) {
      this.#nowMs += 1;
    } else {
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
    await setImmediate();
  }

  async until(holds: () => boolean, withinMs = 10_000): Promise<void> {
    const endMs = this.#nowMs + withinMs;
    while (!holds()) {
      if (this.#nowMs > endMs) throw new Error(`did not come about within ${withinMs} ms`);
      await this.step();
    }
  }

  async pass(forMs: number): Promise<void> {
    const endMs = this.#nowMs + forMs;
    await this.until(() => this.#nowMs >= endMs, forMs + 1_000);
  }
}

/** Every message arrives after a millisecond, or as what a test makes of it. */
export class Network extends MemoryNetwork {
  /** What a message becomes on its way. */
  rewrite: (message: Message) => Message = (message) => message;
  /** What a piece of a snapshot becomes on its way. */
  bulk: (piece: Uint8Array) => readonly Uint8Array[] = (piece) => [piece];
  /** Sees every control message. */
  onControl: (to: NodeId, text: string) => void = () => undefined;

  constructor(clock: Clock) {
    super(clock, 1);
  }

  override transport(id: NodeId): Transport {
    const transport = super.transport(id);
    return {
      ...transport,
      sendControl: (to, bytes) => {
        this.onControl(to, Buffer.from(bytes).toString());
        transport.sendControl(to, bytes);
      },
      sendBulk: (to, bytes) => {
        for (const piece of this.bulk(bytes)) transport.sendBulk(to, piece);
      },
    };
  }

  protected override arriving(message: Message): Message {
    return this.rewrite(message);
  }
}

export interface Member {
  readonly id: NodeId;
  readonly node: RaftNode<number>;
  readonly machine: Notebook;
  readonly log: LogStore;
  readonly events: string[];
  /** The wall time that each of the others said last. */
  readonly samples: ReadonlyMap<NodeId, number>;
  /** The error with which it stopped. */
  fatal(): Error | undefined;
}

/** A seeded generator: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export class World {
  readonly clock = new ManualClock();
  readonly network = new Network(this.clock);
  readonly random: () => number;
  readonly ids: readonly NodeId[];
  /** What a member stamps its entries with. */
  header = (id: NodeId): Uint8Array => Buffer.from(`from ${id}`);

  constructor(ids: readonly NodeId[], seed = 1) {
    this.ids = ids;
    this.random = seeded(seed);
  }

  member(
    id: NodeId,
    given: Partial<Pick<Member, 'log' | 'machine'>> & {
      readonly retention?: Partial<Retention>;
      readonly mayReceiveState?: () => boolean;
      /** Nobody: it waits to be taken in. */
      readonly founders?: readonly NodeId[];
    } = {},
  ): Member {
    const events: string[] = [];
    const samples = new Map<NodeId, number>();
    const { founders = this.ids } = given;
    const log = given.log ?? new MemoryLog({ id, members: founders, random: this.random });
    const machine = given.machine ?? new Notebook();
    let error: Error | undefined;
    const node = createRaftNode<number>({
      id,
      members: founders,
      addresses: new Map(),
      reach: () => ({ host: 'in memory', port: 0 }),
      timing,
      log,
      stateMachine: machine,
      ...(given.mayReceiveState === undefined ? {} : { mayReceiveState: given.mayReceiveState }),
      transport: this.network.transport(id),
      clock: this.clock,
      random: this.random,
      retention: given.retention ?? {},
      owner: {
        entryHeader: () => this.header(id),
        onLeader: (term) => events.push(`leader ${term}`),
        onLeaderLost: (term) => events.push(`lost ${term}`),
        onSample: (from, { wallMs }) => samples.set(from, wallMs),
        onFatal: (cause) => {
          error = cause;
        },
      },
    });
    return { id, node, machine, log, events, samples, fatal: () => error };
  }

  async started(ids: readonly NodeId[] = this.ids): Promise<Member[]> {
    const members = ids.map((id) => this.member(id));
    for (const member of members) await member.node.start();
    return members;
  }

  /** Waits until one of these leads and has said so, and returns it. */
  async leader(members: readonly Member[]): Promise<Member> {
    const leads = ({ events }: Member): boolean => events.at(-1)?.startsWith('leader') === true;
    await this.clock.until(() => members.some(leads));
    const leader = members.find(leads);
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);

/** @returns members that were started on a disk each that takes its time, and the log on the disk of each of them */
export async function startedOnSlowDisks(
  world: World,
): Promise<{ readonly members: readonly Member[]; readonly logOf: (member: Member) => SlowLog }> {
  const logs = new Map(world.ids.map((id) => [id, new SlowLog(world, id)]));
  const logOf = ({ id }: Pick<Member, 'id'>): SlowLog => {
    const log = logs.get(id);
    if (log === undefined) throw new Error('every member has a log');
    return log;
  };
  const members = world.ids.map((id) => world.member(id, { log: logOf({ id }) }));
  for (const { node } of members) await node.start();
  return { members, logOf };
}

/** A log on a disk that takes its time, or that fails. */
export class SlowLog extends MemoryLog {
  writeMs = 3;
  failure: Error | undefined;
  readonly turns: Turn[] = [];
  readonly #clock: Clock;

  constructor(world: World, id: NodeId) {
    super({ id, members: world.ids, random: world.random });
    this.#clock = world.clock;
  }

  override async write(turn: Turn): Promise<void> {
    await new Promise<void>((resolve) => void this.#clock.after(this.writeMs, resolve));
    if (this.failure !== undefined) throw this.failure;
    this.turns.push(turn);
    await super.write(turn);
  }
}
