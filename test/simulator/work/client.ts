// One client process: the product's retrying carrier on the simulated network, and everything that it saw, written down.
import type { RequestOf } from '@holdfast/api';
import { type Carrier, createRetryingCarrier } from '@holdfast/client';
import type { Random } from '../random.ts';
import type { Trace } from '../trace.ts';
import { apiOf, type ClientNetwork } from '../world/client-network.ts';
import { epochMs, type TrueTime } from '../world/clock.ts';
import { type Ending, endingOf } from './ending.ts';
import type { Cancelled, Delivered, History, Scheduled, Settled, Tag, Verb } from './history.ts';

export interface ClientOptions {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly time: TrueTime;
  readonly random: Random;
  readonly network: ClientNetwork;
  readonly history: History;
  readonly trace: Trace;
  readonly giveUpAfterMs: number;
}

export interface Wanted {
  readonly tag: Tag;
  /** True ms. A delay is counted by the cluster, from when it applies the command. */
  readonly due: { readonly atMs: number } | { readonly delayMs: number };
}

export class Client {
  readonly name: string;
  readonly #options: ClientOptions;
  readonly #carrier: Carrier;

  constructor(options: ClientOptions) {
    const { name, nodes, time, random, network, giveUpAfterMs } = options;
    this.name = name;
    this.#options = options;
    this.#carrier = createRetryingCarrier({
      nodes: nodes.map(apiOf),
      caller: network.caller(name),
      clock: {
        monotonicMs: () => time.nowMs,
        after: (delayMs, callback) => {
          const timer = time.after(delayMs, callback);
          return () => timer.cancel();
        },
      },
      random: () => random.next(),
      randomBytes: (count) => random.bytes(count),
      giveUpAfterMs,
    });
  }

  get nowMs(): number {
    return this.#options.time.nowMs;
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.time.after(ms, resolve));
  }

  token(): string {
    return Buffer.from(this.#options.random.bytes(16)).toString('hex');
  }

  /** @returns whether the group is there */
  async createGroup(topic: string, group: string, start: 'earliest' | 'now'): Promise<boolean> {
    const body = { start, backoffFirst: 100, backoffMax: 400, maxAttempts: 1_000_000 };
    const ending = await this.#end(
      this.#carrier.call('putGroup', { params: { topic, group }, query: {}, body, idempotencyKey: undefined }, {}),
    );
    return ending.kind === 'answered';
  }

  async deleteGroup(topic: string, group: string): Promise<boolean> {
    const request: RequestOf<'deleteGroup'> = {
      params: { topic, group },
      query: {},
      body: undefined,
      idempotencyKey: undefined,
    };
    return (await this.#end(this.#carrier.call('deleteGroup', request, {}))).kind === 'answered';
  }

  /** @returns ids when they were told */
  async schedule(topic: string, wanted: readonly Wanted[], key: string): Promise<readonly string[] | undefined> {
    const { history } = this.#options;
    const invokedMs = this.nowMs;
    const records = wanted.map(({ tag, due }): Scheduled => {
      const known = history.scheduled.get(tag);
      const dueMs = 'atMs' in due ? Math.max(due.atMs, 0) : invokedMs + due.delayMs;
      const record: Scheduled = known ?? {
        tag,
        topic,
        dueMs,
        delayed: 'delayMs' in due,
        invokedMs,
        endedMs: Number.POSITIVE_INFINITY,
        outcome: 'pending',
        id: undefined,
        deliverAtMs: undefined,
      };
      // What was refused may still be stored by this repeat.
      if (record.outcome === 'refused') record.outcome = 'pending';
      history.scheduled.set(tag, record);
      return record;
    });
    const messages = wanted.map(({ tag, due }) => ({
      body: { tag },
      ...('atMs' in due ? { at: Math.floor(epochMs + due.atMs) } : { delay: due.delayMs }),
    }));
    const body = { messages };
    const ending = await this.#end(
      this.#carrier.call('schedule', { params: { topic }, query: {}, body, idempotencyKey: key }, {}),
    );
    this.#note('schedule', wanted.map(({ tag }) => tag).join(','), ending);
    if (ending.kind !== 'answered') {
      for (const record of records)
        if (record.outcome === 'pending') this.#endSchedule(record, ending.kind === 'refused' ? 'refused' : 'unknown');
      return undefined;
    }
    const stored = ending.answer.messages;
    history.keyed.push({ key, answer: JSON.stringify(stored), invokedMs, endedMs: this.nowMs });
    for (const [i, record] of records.entries()) {
      if (record.outcome === 'stored') continue;
      this.#endSchedule(record, 'stored');
      record.id = stored[i]?.id;
      const deliverAtMs = stored[i]?.deliverAtMs;
      record.deliverAtMs = deliverAtMs === undefined ? undefined : deliverAtMs - epochMs;
    }
    return stored.map(({ id }) => id);
  }

  async cancel(topic: string, tag: Tag, id: string, key: string | undefined): Promise<Cancelled> {
    const { nowMs: invokedMs } = this;
    const record: Cancelled = { tag, id, key, invokedMs, endedMs: Number.POSITIVE_INFINITY, verdict: 'pending' };
    this.#options.history.cancelled.push(record);
    const request: RequestOf<'cancel'> = { params: { topic, id }, query: {}, body: undefined, idempotencyKey: key };
    const ending = await this.#end(this.#carrier.call('cancel', request, {}));
    this.#note('cancel', tag, ending);
    record.endedMs = this.nowMs;
    record.verdict = ending.kind === 'answered' ? ending.answer.kind : ending.kind;
    if (ending.kind === 'answered' && ending.answer.kind === 'leased')
      record.leasedUntilMs = ending.answer.leasedUntilMs - epochMs;
    if (ending.kind === 'answered' && ending.answer.kind === 'stopped') record.attempts = ending.answer.attempts;
    if (ending.kind === 'answered' && key !== undefined) {
      this.#options.history.keyed.push({
        key,
        answer: JSON.stringify(ending.answer),
        invokedMs: record.invokedMs,
        endedMs: record.endedMs,
      });
    }
    return record;
  }

  async get(topic: string, tag: Tag, id: string): Promise<void> {
    const invokedMs = this.nowMs;
    const request: RequestOf<'get'> = { params: { topic, id }, query: {}, body: undefined, idempotencyKey: undefined };
    const ending = await this.#end(this.#carrier.call('get', request, {}));
    this.#note('get', tag, ending);
    const looked = { tag, invokedMs, endedMs: this.nowMs };
    if (ending.kind === 'answered') {
      const groups = ending.answer.groups.map(({ group, state, attempts }) => ({ group, state, attempts }));
      this.#options.history.looked.push({ ...looked, state: ending.answer.state, groups });
    } else if (ending.code === 'HF_MESSAGE_NOT_FOUND') {
      this.#options.history.looked.push({ ...looked, state: 'notFound', groups: [] });
    }
  }

  /** @returns what this consumer now has to handle */
  async receive(
    where: Where,
    want: {
      readonly max: number;
      readonly leaseMs: number;
      readonly waitMs: number;
      readonly receiveId: string;
      readonly repeated: boolean;
    },
    signal?: AbortSignal,
  ): Promise<readonly Delivered[]> {
    const { topic, group } = where;
    const { max, leaseMs, waitMs, receiveId, repeated } = want;
    const invokedMs = this.nowMs;
    const body = { max, lease: leaseMs, wait: waitMs, receiveId, repeated };
    const call = this.#carrier.call(
      'receive',
      { params: { topic, group }, query: {}, body, idempotencyKey: undefined },
      signal === undefined ? {} : { signal },
    );
    const ending = await this.#end(call);
    if (ending.kind !== 'answered') {
      this.#note('receive', receiveId.slice(0, 6), ending);
      return [];
    }
    const deliveries = ending.answer.messages.map(
      (message): Delivered => ({
        tag: tagOf(message.body, message.bodyBytes),
        topic,
        group,
        consumer: this.name,
        receiveId,
        id: message.id,
        receipt: message.receipt,
        token: message.token,
        attempt: message.attempt,
        leasedUntilMs: message.leasedUntilMs - epochMs,
        invokedMs,
        atMs: this.nowMs,
      }),
    );
    this.#options.history.delivered.push(...deliveries);
    if (deliveries.length === 0) this.#options.history.emptyReceives.push({ topic, endedMs: this.nowMs });
    this.#options.trace.note(
      this.name,
      repeated ? 'receives again' : 'receives',
      receiveId.slice(0, 8),
      ...deliveries.map(({ tag, token }) => `${tag}#${token}`),
    );
    return deliveries;
  }

  async settle(verb: Verb, where: Where, deliveries: readonly Delivered[], ms: number | undefined): Promise<void> {
    const records = deliveries.map(
      ({ receipt }): Settled => ({
        verb,
        receipt,
        invokedMs: this.nowMs,
        endedMs: Number.POSITIVE_INFINITY,
        result: 'pending',
        leasedUntilMs: undefined,
      }),
    );
    this.#options.history.settled.push(...records);
    const ending = await this.#end(
      this.#callSettle(
        verb,
        where,
        deliveries.map(({ receipt }) => receipt),
        ms,
      ),
    );
    this.#note(verb, deliveries.map(({ tag }) => tag).join(','), ending);
    for (const record of records) {
      record.endedMs = this.nowMs;
      if (ending.kind !== 'answered') {
        record.result = ending.kind === 'refused' ? 'refused' : 'unknown';
        continue;
      }
      const result = ending.answer.find(({ receipt }) => receipt === record.receipt);
      record.result = result?.result ?? 'unknown';
      record.leasedUntilMs = result?.leasedUntilMs === undefined ? undefined : result.leasedUntilMs - epochMs;
    }
  }

  async #callSettle(
    verb: Verb,
    params: Where,
    receipts: readonly string[],
    ms: number | undefined,
  ): Promise<readonly SettleResult[]> {
    const common = { params: { ...params }, query: {}, idempotencyKey: undefined } as const;
    switch (verb) {
      case 'ack':
        return (await this.#carrier.call('ack', { ...common, body: { receipts: [...receipts] } }, {})).results;
      case 'nack':
        return (
          await this.#carrier.call(
            'nack',
            { ...common, body: { receipts: [...receipts], ...(ms === undefined ? {} : { delay: ms }) } },
            {},
          )
        ).results;
      case 'extend':
        return (
          await this.#carrier.call('extend', { ...common, body: { receipts: [...receipts], lease: ms ?? 1_000 } }, {})
        ).results;
      default:
        return verb satisfies never;
    }
  }

  /** Counts as the cluster sees them; undefined when nobody answered. */
  async topic(topic: string): Promise<TopicCounts | undefined> {
    const request: RequestOf<'topic'> = { params: { topic }, query: {}, body: undefined, idempotencyKey: undefined };
    const ending = await this.#end(this.#carrier.call('topic', request, {}));
    return ending.kind === 'answered' ? ending.answer : undefined;
  }

  close(): void {
    void this.#carrier.close();
  }

  #endSchedule(record: Scheduled, outcome: Scheduled['outcome']): void {
    record.outcome = outcome;
    record.endedMs = this.nowMs;
  }

  #end<T>(call: Promise<T>): Promise<Ending<T>> {
    return endingOf(call, this.#options.history.failures);
  }

  #note(what: string, about: string, ending: Ending<unknown>): void {
    this.#options.trace.note(
      this.name,
      what,
      about,
      ending.kind,
      ending.kind === 'answered' ? JSON.stringify(ending.answer).slice(0, 90) : ending.code,
    );
  }
}

export interface Where {
  readonly topic: string;
  readonly group: string;
}

export interface TopicCounts {
  readonly scheduled: number;
  readonly stored: number;
  readonly cancelled: number;
  readonly stopped: number;
  readonly groups: readonly {
    readonly name: string;
    readonly outstanding: number;
    readonly acknowledged: number;
    readonly dead: number;
  }[];
}

interface SettleResult {
  readonly receipt: string;
  readonly result: 'ok' | 'receiptNotCurrent' | 'notFound';
  readonly leasedUntilMs?: number | undefined;
}

function tagOf(body: unknown, bytes: Uint8Array | undefined): Tag {
  const value: unknown = bytes === undefined ? body : JSON.parse(Buffer.from(bytes).toString());
  if (typeof value === 'object' && value !== null && 'tag' in value && typeof value.tag === 'string') return value.tag;
  throw new Error(`a delivery without its tag: ${JSON.stringify(value)}`);
}
