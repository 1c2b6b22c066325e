// What is remembered of a consumer group: who waits, what is leased, what comes next; and the directory of all groups.
import type { GroupConfig, Position } from '@holdfast/store';
import type { ReceiveAnswer, ReceiveRequest } from './ports.ts';
import type { Upcoming } from './upcoming.ts';
import type { Timed } from './wakeups.ts';

/** `timeMs` (of Timed) is its deadline, monotonic. */
export interface Waiter extends Timed {
  readonly group: Group;
  readonly key: string;
  request: ReceiveRequest;
  deadlineMs: number;
  /** It does not wait longer than a commit takes: it is answered as soon as it is certain that nothing is due. */
  isPoll: boolean;
  /** `new`: nowhere yet. `loading`: until the group's holds are known. `inFlight`: named in a proposal. `held`: its answer waits for doubt to end. */
  place: 'new' | 'queued' | 'loading' | 'inFlight' | 'held';
  /** Undefined when the caller walked away. */
  respond: ((answer: ReceiveAnswer) => void) | undefined;
}

/** `timeMs` (of Timed) is until when it runs, in cluster time. */
export interface Lease extends Timed {
  readonly group: Group;
  readonly position: Position;
  readonly token: number;
  readonly attempt: number;
  readonly receiveKey: string;
  /** Cluster time when this leadership learned of it. */
  readonly sinceMs: number;
  untilMs: number;
  /** `withdrawn`: it is being given back, and must not answer a repeated receive any more. */
  state: 'running' | 'releasing' | 'withdrawn';
}

/** `timeMs` (of Timed) is when its next row is due, in cluster time. */
export interface Group extends Timed {
  readonly topic: number;
  readonly number: number;
  config: GroupConfig;
  readonly upcoming: Upcoming;

  /** By the seq of the message's position. */
  readonly leases: Map<number, Lease>;
  readonly leasesByReceive: Map<string, Lease[]>;
  /** Every lease that ran when this leadership began is in `leases`. */
  holdsLoaded: boolean;
  /** Seqs of the positions that changed while a slice of holds was being read. */
  touched: Set<number> | undefined;

  /** By receive id: all that wait, wherever they stand. */
  readonly waiters: Map<string, Waiter>;
  /** Those that may be given a lease, in order; `returned` go first. */
  readonly queue: Set<Waiter>;
  readonly returned: Set<Waiter>;

  leaseCommands: number;
  rowsInFlight: number;
  /** In a row. */
  failures: number;
  /** The rows are to be looked at again, once nothing is in flight. */
  isStale: boolean;
  /** Monotonic; not looked at before. */
  pausedUntilMs: number;
  /** Of what it delivered, smoothed; sizes its slices. */
  meanBytes: number;
  /** Monotonic. */
  usedAtMs: number;
}

export function createGroup(topic: number, number: number, config: GroupConfig, upcoming: Upcoming): Group {
  return {
    topic,
    number,
    config,
    upcoming,
    leases: new Map(),
    leasesByReceive: new Map(),
    holdsLoaded: false,
    touched: undefined,
    waiters: new Map(),
    queue: new Set(),
    returned: new Set(),
    leaseCommands: 0,
    rowsInFlight: 0,
    failures: 0,
    isStale: false,
    pausedUntilMs: 0,
    meanBytes: 1_024,
    usedAtMs: 0,
    timeMs: 0,
    slot: -1,
  };
}

export class Groups {
  readonly #topics = new Map<number, Map<number, Group>>();

  get(topic: number, number: number): Group | undefined {
    return this.#topics.get(topic)?.get(number);
  }

  add(group: Group): void {
    const topic = this.#topics.get(group.topic) ?? new Map<number, Group>();
    topic.set(group.number, group);
    this.#topics.set(group.topic, topic);
  }

  remove(group: Group): void {
    const topic = this.#topics.get(group.topic);
    topic?.delete(group.number);
    if (topic?.size === 0) this.#topics.delete(group.topic);
  }

  *ofTopic(topic: number): Iterable<Group> {
    yield* this.#topics.get(topic)?.values() ?? [];
  }

  *all(): Iterable<Group> {
    for (const topic of this.#topics.values()) yield* topic.values();
  }
}
