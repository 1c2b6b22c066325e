// A consumer group as a user holds it: receive, ack, nack, extend, dead letters, and workers.
import type { AnswerOf } from '@holdfast/api';
import {
  type CallOptions,
  type ClientParts,
  type Duration,
  durationMs,
  type ReadOptions,
  readQuery,
  signalOf,
} from './client-parts.ts';
import { Deliveries, type GroupParts, type NackOptions } from './deliveries.ts';
import type { DeadLetter, Delivery } from './message.ts';
import { shownPayload } from './payload.ts';
import { type Handler, startWorker, type Worker, type WorkerOptions } from './worker.ts';

export interface ReceiveOptions extends CallOptions {
  /** Messages at once: 1 to 256; 1 by default. */
  readonly max?: number;
  /** How long the messages are this consumer's alone: 100 ms to 12 h; 30 s by default. */
  readonly lease?: Duration;
  /** How long to wait when nothing is due; not at all by default. */
  readonly wait?: Duration;
}

/** Deliveries, or their receipts; one or many. */
export type Receipts = string | { readonly receipt: string } | readonly (string | { readonly receipt: string })[];

export interface Group<Payload> {
  readonly topic: string;
  readonly name: string;
  /**
   * Lease messages that are due, in order of time. Creates the group (and the topic) when it is new. A message whose
   * payload does not fit the topic's schema is given back with the reason, and not returned.
   *
   * @returns an empty list when nothing was due within `wait`
   * @throws the signal's reason; what was leased in that very moment comes again when its lease ends
   */
  receive(options?: ReceiveOptions): Promise<readonly Delivery<Payload>[]>;
  /**
   * Done with these messages. Repeated until a leader answers.
   *
   * @returns for each receipt `ok` (also when it was acknowledged before), `receiptNotCurrent` (the lease ended: the message
   *          comes, or came, again), or `notFound`
   */
  ack(receipts: Receipts, options?: CallOptions): Promise<AnswerOf<'ack'>['results']>;
  /** Give messages back, to be tried again later. @returns for each receipt as `ack` does */
  nack(receipts: Receipts, options?: NackOptions): Promise<AnswerOf<'nack'>['results']>;
  /** Make leases last `lease` from now; never shortens one. @returns as `ack` does, with the new end in ms since the epoch */
  extend(receipts: Receipts, lease: Duration, options?: CallOptions): Promise<AnswerOf<'extend'>['results']>;
  /**
   * Create the group, or give it the settings of `topic.group(name, settings)`: those that are left out get their default
   * again. The start of a group that is there stays.
   */
  put(options?: CallOptions): Promise<AnswerOf<'putGroup'>>;
  /** The group's settings and counts. @throws HoldfastError HF_TOPIC_NOT_FOUND, HF_GROUP_NOT_FOUND */
  counts(options?: ReadOptions): Promise<AnswerOf<'group'>>;
  /** Messages given up after the last attempt, fetched page by page as they are read. */
  deadLetters(options?: ReadOptions): AsyncIterable<DeadLetter>;
  /** Delete the group; what only it still needed goes with it. */
  delete(options?: CallOptions): Promise<void>;
  /** Handle messages as they come, until the worker is stopped. Return: acknowledged. Throw: given back. */
  worker(handler: Handler<Payload>, options?: WorkerOptions): Worker;
}

const defaultLease = '30s';

export function createGroup<Payload>(parts: GroupParts<Payload>): Group<Payload> {
  const { carrier, params, settings } = parts;
  const deliveries = new Deliveries(parts);
  const inGroup = { params, query: {}, body: undefined, idempotencyKey: undefined } as const;
  return {
    topic: params.topic,
    name: params.group,
    receive: (options = {}) => receive(parts, deliveries, options),
    ack: (receipts, options = {}) => deliveries.ack(receiptsOf(receipts), options),
    nack: (receipts, options = {}) => deliveries.nack(receiptsOf(receipts), options),
    extend: (receipts, lease, options = {}) => deliveries.extend(receiptsOf(receipts), lease, options),
    put: (options = {}) => carrier.call('putGroup', { ...inGroup, body: settings }, signalOf(options)),
    counts: (options = {}) => carrier.call('group', { ...inGroup, query: readQuery(options) }, signalOf(options)),
    deadLetters: (options = {}) => deadLetters(parts, options),
    async delete(options = {}) {
      await carrier.call('deleteGroup', inGroup, signalOf(options));
    },
    worker: (handler, options = {}) => startWorker({ ...parts, deliveries }, handler, options),
  };
}

async function receive<Payload>(
  { clock, sliceMs }: ClientParts,
  deliveries: Deliveries<Payload>,
  options: ReceiveOptions,
): Promise<readonly Delivery<Payload>[]> {
  const { max = 1, lease = defaultLease, wait = 0 } = options;
  const leaseMs = durationMs(lease, 'lease');
  const endsAtMs = clock.monotonicMs() + durationMs(wait, 'wait');
  for (;;) {
    const leftMs = Math.max(Math.ceil(endsAtMs - clock.monotonicMs()), 0);
    const received = await deliveries.pull({ max, leaseMs, waitMs: Math.min(leftMs, sliceMs) }, signalOf(options));
    if (received.length > 0 || clock.monotonicMs() >= endsAtMs) return received;
  }
}

function receiptsOf(receipts: Receipts): string[] {
  const list = typeof receipts === 'string' || 'receipt' in receipts ? [receipts] : receipts;
  return list.map((one) => (typeof one === 'string' ? one : one.receipt));
}

async function* deadLetters(
  { carrier, params }: Pick<GroupParts<unknown>, 'carrier' | 'params'>,
  options: ReadOptions,
): AsyncGenerator<DeadLetter, void, undefined> {
  let cursor: string | undefined;
  do {
    const query = { ...readQuery(options), ...(cursor === undefined ? {} : { cursor }) };
    const request = { params, query, body: undefined, idempotencyKey: undefined };
    const page = await carrier.call('deadLetters', request, signalOf(options));
    for (const message of page.messages) {
      const { id, deliverAtMs, attempts, reason, headers } = message;
      yield { id, deliverAtMs, attempts, reason, headers, payload: shownPayload(message) };
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
