// Members in one process, on memory-level and on a clock that only a test moves. A kill is sudden: nothing is said, timers
// and messages of the dead do nothing any more, and only what was written is there after a restart.
import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { type AnswerOf, HoldfastError, OutcomeUnknownError, type RequestOf, type Verb } from '@holdfast/api';
import type { Hello, NodeId, Transport, TransportEvents } from '@holdfast/raft';
import { MemoryLevel } from 'memory-level';
import { createMember, type Member, type MemberConfig, type MemberPorts, type Peer } from '../src/index.ts';
import { ManualClock } from './manual-clock.ts';

export const timing = { tickMs: 10, heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600, fastElectionMs: 50 };
const stepMs = 2;
/** Not the default of the scheduler, so that a test sees whether it arrives there. */
export const graceMs = 5_000;

type Database = MemoryLevel<Uint8Array, Uint8Array>;

export interface Node {
  readonly id: NodeId;
  readonly member: Member;
  /** Aborted when it is killed. */
  readonly life: AbortController;
  readonly fatal: Error[];
}

interface End {
  readonly events: TransportEvents;
  readonly hello: () => Hello;
}

export const inReminders = { params: { topic: 'reminders' }, query: {} };
export const ofMailer = { params: { topic: 'reminders', group: 'mailer' }, query: {} };
export const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** The dead answer nobody: their callers see a broken connection. */
function orLost<Answer>(death: AbortSignal, answer: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new OutcomeUnknownError());
    death.addEventListener('abort', lost, { once: true });
    answer.then(resolve, reject).finally(() => death.removeEventListener('abort', lost));
  });
}

/** Where it says that it is. */
export const peerOf = (id: NodeId): Peer => ({ id, peer: `${id}:7501`, api: `http://${id}:7401` });

/** A seeded generator: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export class Cluster {
  readonly clock = new ManualClock();
  readonly ids: readonly NodeId[];
  readonly nodes = new Map<NodeId, Node>();
  readonly logged: string[] = [];
  readonly latenessMs: number[] = [];
  /** Whose wall clock is how far ahead. */
  readonly aheadMs = new Map<NodeId, number>();
  /** Whose disk has how many bytes left; enough where absent. */
  readonly freeBytes = new Map<NodeId, number>();
  readonly #ends = new Map<NodeId, End>();
  readonly #cut = new Set<NodeId>();
  readonly #deaf = new Set<NodeId>();
  readonly #writesOf = new Map<NodeId, () => Promise<void>>();
  readonly #databases = new Map<NodeId, Database>();
  readonly #random: () => number;

  constructor(ids: readonly NodeId[], seed: number) {
    this.ids = ids;
    this.#random = seeded(seed);
  }

  /** All started, and one of them serves. */
  static async start(ids: readonly NodeId[] = ['n1', 'n2', 'n3'], seed = 1): Promise<Cluster> {
    const cluster = new Cluster(ids, seed);
    for (const id of ids) await cluster.restart(id);
    await cluster.until(() => cluster.leader() !== undefined);
    return cluster;
  }

  /** One that founded nothing waits to be taken in. */
  async restart(id: NodeId): Promise<Node> {
    const life = new AbortController();
    // Every call that is under way listens to it.
    setMaxListeners(0, life.signal);
    const fatal: Error[] = [];
    const member = await createMember(this.#config(id), {
      database: this.#diskOf(id, await this.#database(id)),
      disk: { freeBytes: async () => this.freeBytes.get(id) ?? Number.MAX_SAFE_INTEGER, writingMs: () => 0 },
      transport: this.#transport(id, life.signal),
      clock: this.#clockOf(id, life.signal),
      random: this.#random,
      randomBytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(this.#random() * 256)),
      log: this.#log(id),
      forward: (to, verb, request, { signal }) => this.#forward(to, verb, request, signal),
      onFatal: (error) => fatal.push(error),
      onDelivered: (_topic, latenessMs) => this.latenessMs.push(latenessMs),
    });
    const node: Node = { id, member, life, fatal };
    this.nodes.set(id, node);
    await member.start();
    return node;
  }

  kill(id: NodeId): void {
    this.node(id).life.abort();
    this.nodes.delete(id);
    this.#ends.delete(id);
    for (const end of this.#ends.values()) end.events.onPeerLost(id, 'dead');
  }

  /** Its messages are lost in both directions; nobody is told. */
  cut(id: NodeId): void {
    this.#cut.add(id);
  }

  /** What others send to it is lost. */
  deafen(id: NodeId): void {
    this.#deaf.add(id);
  }

  heal(): void {
    this.#cut.clear();
    this.#deaf.clear();
  }

  /** Flips a bit in each row that holds `text`. */
  async damage(id: NodeId, text: string): Promise<void> {
    const database = await this.#database(id);
    for await (const [key, value] of database.iterator()) {
      const at = Buffer.from(value).indexOf(text);
      if (at < 0) continue;
      const damaged = Uint8Array.from(value);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      await database.put(key, damaged);
    }
  }

  /** Every write from now on fails. */
  failWrites(id: NodeId): void {
    this.#writesOf.set(id, () => Promise.reject(new Error('input/output error')));
  }

  /** No write from now on ends. */
  hangWrites(id: NodeId): void {
    this.#writesOf.set(id, () => new Promise(() => undefined));
  }

  node(id: NodeId): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`${id} does not run`);
    return node;
  }

  leader(): NodeId | undefined {
    return [...this.nodes.values()].find(({ member }) => member.status().serving)?.id;
  }

  someLeader(): NodeId {
    const leader = this.leader();
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }

  someFollower(): NodeId {
    const leader = this.someLeader();
    const follower = [...this.nodes.keys()].find((id) => id !== leader);
    if (follower === undefined) throw new Error('nobody follows');
    return follower;
  }

  call<V extends Verb>(
    id: NodeId,
    verb: V,
    request: Pick<RequestOf<V>, 'params' | 'query' | 'body'> & { readonly idempotencyKey?: string },
    options: { readonly signal?: AbortSignal; readonly forwarded?: boolean } = {},
  ): Promise<AnswerOf<V>> {
    const { signal = new AbortController().signal, forwarded = false } = options;
    const whole = { ...request, idempotencyKey: request.idempotencyKey };
    const { member, life } = this.node(id);
    return orLost(life.signal, member.service.call(verb, whole, { signal, forwarded }));
  }

  /** One message in `reminders`. */
  async schedule(at: NodeId, body: unknown, delay: string | number, idempotencyKey?: string) {
    const request = { ...inReminders, body: { body, delay } };
    const answer = await this.answer(
      this.call(at, 'schedule', idempotencyKey === undefined ? request : { ...request, idempotencyKey }),
    );
    const [message] = answer.messages;
    if (message === undefined) throw new Error('nothing was scheduled');
    return { ...message, repeated: answer.repeated };
  }

  /** By the group `mailer`, which is created when it is new. */
  async receive(at: NodeId, body: Partial<RequestOf<'receive'>['body']> = {}, signal?: AbortSignal) {
    const request = { ...ofMailer, body: { create: { start: 'earliest' as const }, ...body } };
    return (await this.answer(this.call(at, 'receive', request, signal === undefined ? {} : { signal }), 70_000))
      .messages;
  }

  async cancel(at: NodeId, id: string, topic = 'reminders'): Promise<AnswerOf<'cancel'>> {
    return this.answer(this.call(at, 'cancel', { params: { topic, id }, query: {}, body: undefined }));
  }

  async get(at: NodeId, id: string, topic = 'reminders'): Promise<AnswerOf<'get'>> {
    return this.answer(this.call(at, 'get', { params: { topic, id }, query: {}, body: undefined }));
  }

  /** Lets time pass until the promise has an outcome. */
  async answer<Answer>(promise: Promise<Answer>, withinMs = 20_000): Promise<Answer> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.until(() => isSettled, withinMs);
    return promise;
  }

  /** The error that it ends with. */
  async refusal(promise: Promise<unknown>, withinMs?: number): Promise<HoldfastError> {
    const outcome = await this.answer(
      promise.then(
        (answer) => ({ answer }),
        (error: unknown) => ({ error }),
      ),
      withinMs,
    );
    if ('error' in outcome && outcome.error instanceof HoldfastError) return outcome.error;
    throw new Error('it was not refused', { cause: outcome });
  }

  async until(holds: () => boolean, withinMs = 20_000): Promise<void> {
    const endMs = this.clock.monotonicMs() + withinMs;
    for (let turn = 0; !holds(); turn += 1) {
      if (this.clock.monotonicMs() > endMs) throw new Error(`did not come about within ${withinMs} ms`);
      await setImmediate();
      // A few turns of the event loop for each step of time: what a write or a message sets off comes first.
      if (turn % 3 === 2) this.clock.advance(stepMs);
    }
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    await this.until(() => this.clock.monotonicMs() >= endMs, ms + 1_000);
  }

  async stop(): Promise<void> {
    const stopped = Promise.all([...this.nodes.values()].map(({ member }) => member.stop()));
    await this.answer(stopped);
    this.nodes.clear();
  }

  #config(id: NodeId): MemberConfig {
    const join = !this.ids.includes(id);
    const peers = (join ? [id] : this.ids).map((peer): Peer => peerOf(peer));
    return { id, peers, join, timing, graceMs, maxClockSkewMs: 500, minFreeBytes: 1_000, freeMarginBytes: 500 };
  }

  async #database(id: NodeId): Promise<Database> {
    const known = this.#databases.get(id);
    if (known !== undefined) return known;
    const database: Database = new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' });
    await database.open();
    this.#databases.set(id, database);
    return database;
  }

  /** The database, with writes that can be made to fail. */
  #diskOf(id: NodeId, database: Database): MemberPorts['database'] {
    return new Proxy(database, {
      get: (target, name) => {
        if (name !== 'batch') {
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return () => {
          const batch = target.batch();
          return {
            put: (key: Uint8Array, value: Uint8Array) => batch.put(key, value),
            del: (key: Uint8Array) => batch.del(key),
            write: () => this.#writesOf.get(id)?.() ?? batch.write(),
          };
        };
      },
    });
  }

  #clockOf(id: NodeId, death: AbortSignal) {
    return {
      monotonicMs: () => this.clock.monotonicMs(),
      wallMs: () => this.clock.wallMs() + (this.aheadMs.get(id) ?? 0),
      after: (delayMs: number, callback: () => void) =>
        this.clock.after(delayMs, () => {
          if (!death.aborted) callback();
        }),
    };
  }

  #log(id: NodeId) {
    const keep = (fields: Readonly<Record<string, unknown>>): void => {
      this.logged.push(`${id} ${String(fields['event'])}`);
    };
    return { info: keep, warn: keep, error: keep };
  }

  #transport(id: NodeId, death: AbortSignal): Transport {
    const deliver = (to: NodeId, give: (events: TransportEvents) => void): void => {
      if (death.aborted) return;
      this.clock.after(1, () => {
        const end = this.#ends.get(to);
        if (end !== undefined && !this.#cut.has(id) && !this.#cut.has(to) && !this.#deaf.has(to)) give(end.events);
      });
    };
    const wallMs = (): number => this.clock.wallMs() + (this.aheadMs.get(id) ?? 0);
    return {
      start: async (events, hello) => {
        this.#ends.set(id, { events, hello });
        for (const [peer, end] of this.#ends) {
          if (peer === id) continue;
          end.events.onPeerUp(hello());
          events.onPeerUp(end.hello());
        }
      },
      // Everybody hears everybody from the start; who is not known is not let in, and introduces himself again later.
      setPeers: (peers) => {
        for (const peer of peers.keys()) {
          const [own, other] = [this.#ends.get(id), this.#ends.get(peer)];
          if (own === undefined || other === undefined) continue;
          other.events.onPeerUp(own.hello());
          own.events.onPeerUp(other.hello());
        }
      },
      send: (message) => deliver(message.to, (events) => events.onMessage(message, { wallMs: wallMs() })),
      sendControl: (to, bytes) => deliver(to, (events) => events.onControl(id, bytes)),
      sendBulk: (to, bytes) => deliver(to, (events) => events.onBulk(id, bytes)),
      close: async () => {
        if (!this.#ends.delete(id)) return;
        for (const end of this.#ends.values()) end.events.onPeerLost(id, 'dead');
      },
    };
  }

  /** One hop. From a node that is dead or dies, nothing comes back; from one that is cut off, not even that is known. */
  #forward<V extends Verb>(to: Peer, verb: V, request: RequestOf<V>, signal: AbortSignal): Promise<AnswerOf<V>> {
    const node = this.nodes.get(to.id);
    if (node === undefined) return Promise.reject(new HoldfastError('HF_NO_LEADER'));
    const answer = new Promise<AnswerOf<V>>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new OutcomeUnknownError()), { once: true });
      if (this.#cut.has(to.id)) return;
      node.member.service.call(verb, request, { signal, forwarded: true }).then(
        (answered) => (this.#cut.has(to.id) ? undefined : resolve(answered)),
        (error: unknown) => (this.#cut.has(to.id) ? undefined : reject(error)),
      );
    });
    return orLost(node.life.signal, answer);
  }
}
