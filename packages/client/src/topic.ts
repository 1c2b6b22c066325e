// A topic as a user holds it: schedule, look, cancel, list.
import type { AnswerOf, RequestOf } from '@holdfast/api';
import {
  type CallOptions,
  type ClientParts,
  type Duration,
  type ReadOptions,
  readQuery,
  signalOf,
} from './client-parts.ts';
import type { GroupSettings } from './deliveries.ts';
import { createGroup, type Group } from './group.ts';
import type { ListedMessage, MessageSeen, Scheduled } from './message.ts';
import { type PayloadCodec, shownPayload } from './payload.ts';

/** An instant (the past means now), or a delay counted from the cluster's clock. */
export type When = { readonly at: Date | string | number } | { readonly delay: Duration };

export interface WriteOptions extends CallOptions {
  /** Same key and same request: the first answer again, for ten minutes. One is drawn for each call that has none. */
  readonly idempotencyKey?: string;
}

export interface ScheduleOptions extends WriteOptions {
  /** Lower-case names; text without control characters. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface MessageToSend<Payload> {
  readonly payload: Payload;
  readonly when: When;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ListOptions extends ReadOptions {
  /** Due at this instant or later: a Date, ISO 8601 or ms since the epoch. */
  readonly dueAfter?: Date | string | number;
  /** Due before this instant. */
  readonly dueBefore?: Date | string | number;
  /** Messages fetched at once: 1 to 1,000; 100 by default. */
  readonly pageMessages?: number;
}

/** @typeParam Input what is scheduled. @typeParam Output what a consumer gets; another type when the schema transforms */
export interface Topic<Input, Output = Input> {
  readonly name: string;
  /**
   * Store a message for later.
   *
   * Answers when a majority has it on disk; from then on it survives the loss of any one node of three. It is delivered
   * at or after its time, never before (within the clock skew that docs/promises.md states). Repeated with the same
   * idempotency key until a node answers.
   *
   * @param payload any JSON value, or a Uint8Array; at most `bounds.bodyBytes` (1 MiB) after encoding
   * @param when `{ delay: '15m' }` or ms, counted from the cluster's clock, or `{ at }` a Date, ISO 8601 or ms since the epoch
   * @throws HoldfastError HF_INVALID_REQUEST, HF_BODY_TOO_LARGE: not stored, and it never will be.
   *         HF_UNREACHABLE, HF_NO_LEADER, HF_OVERLOADED: not stored within the time of `giveUpAfter`.
   * @throws OutcomeUnknownError perhaps stored; repeat with the same `idempotencyKey`
   * @example const { id } = await reminders.schedule({ to: 'ada' }, { delay: '15m' });
   */
  schedule(payload: Input, when: When, options?: ScheduleOptions): Promise<Scheduled & { readonly repeated: boolean }>;
  /** Store many: all or nothing, at most `bounds.messagesPerBatch` and `bounds.batchBytes`. Answers in the same order. */
  scheduleBatch(
    messages: readonly MessageToSend<Input>[],
    options?: WriteOptions,
  ): Promise<{ readonly messages: readonly Scheduled[]; readonly repeated: boolean }>;
  /** @throws HoldfastError HF_MESSAGE_NOT_FOUND, HF_TOPIC_NOT_FOUND */
  get(id: string, options?: ReadOptions): Promise<MessageSeen>;
  /**
   * Cancel a message. The verdict is definite: after `cancelled` or `stopped` no delivery follows. docs/http.md lists them.
   *
   * @throws HoldfastError HF_TOPIC_NOT_FOUND. OutcomeUnknownError: repeat with the same `idempotencyKey`.
   */
  cancel(id: string, options?: WriteOptions): Promise<AnswerOf<'cancel'>>;
  /** What stands in the topic, in order of time; fetched page by page as it is read. */
  list(options?: ListOptions): AsyncIterable<ListedMessage>;
  /** The topic's counts, and its groups with theirs. @throws HoldfastError HF_TOPIC_NOT_FOUND before the first message or group */
  counts(options?: ReadOptions): Promise<AnswerOf<'topic'>>;
  /** @param settings used when the group is new; see `Group.put` to change them */
  group(name: string, settings?: GroupSettings): Group<Output>;
}

export function createTopic<Input, Output>(
  parts: ClientParts,
  name: string,
  codec: PayloadCodec<Input, Output>,
): Topic<Input, Output> {
  const { carrier } = parts;
  const inTopic = { params: { topic: name }, query: {}, body: undefined, idempotencyKey: undefined } as const;

  async function scheduleBatch(messages: readonly MessageToSend<Input>[], options: WriteOptions = {}) {
    const body = { messages: await Promise.all(messages.map((message) => encodedMessage(codec, message))) };
    return carrier.call('schedule', { ...inTopic, body, idempotencyKey: options.idempotencyKey }, signalOf(options));
  }

  return {
    name,
    scheduleBatch,
    async schedule(payload, when, options = {}) {
      const { headers = {} } = options;
      const { messages, repeated } = await scheduleBatch([{ payload, when, headers }], options);
      const [message] = messages;
      if (message === undefined) throw new TypeError('A node answered a schedule without a message.');
      return { ...message, repeated };
    },
    async get(id, options = {}) {
      const request = { ...inTopic, params: { topic: name, id }, query: readQuery(options) };
      return seenMessage(await carrier.call('get', request, signalOf(options)));
    },
    cancel(id, options = {}) {
      const request = { ...inTopic, params: { topic: name, id }, idempotencyKey: options.idempotencyKey };
      return carrier.call('cancel', request, signalOf(options));
    },
    list: (options = {}) => listed(parts, inTopic, options),
    counts: (options = {}) => carrier.call('topic', { ...inTopic, query: readQuery(options) }, signalOf(options)),
    group: (group, settings = {}) => createGroup({ ...parts, params: { topic: name, group }, codec, settings }),
  };
}

async function encodedMessage<Input, Output>(codec: PayloadCodec<Input, Output>, message: MessageToSend<Input>) {
  const { bodyBytes, headers } = await codec.encode(message.payload, message.headers ?? {});
  return { ...wireTime(message.when), headers: { ...headers }, bodyBytes };
}

function wireTime(when: When): { at: string | number } | { delay: Duration } {
  return 'delay' in when ? { delay: when.delay } : { at: instantOf(when.at) };
}

/** An impossible Date becomes NaN, which the node refuses by the field's name. */
function instantOf(at: Date | string | number): string | number {
  return at instanceof Date ? at.getTime() : at;
}

function seenMessage(answer: AnswerOf<'get'>): MessageSeen {
  const { body, bodyBase64, bodyBytes, ...seen } = answer;
  const gone = body === undefined && bodyBase64 === undefined && bodyBytes === undefined;
  return gone ? seen : { ...seen, payload: shownPayload({ headers: seen.headers ?? {}, body, bodyBase64, bodyBytes }) };
}

async function* listed(
  parts: ClientParts,
  inTopic: RequestOf<'topic'>,
  options: ListOptions,
): AsyncGenerator<ListedMessage, void, undefined> {
  const range = {
    ...readQuery(options),
    ...(options.dueAfter === undefined ? {} : { dueAfter: instantOf(options.dueAfter) }),
    ...(options.dueBefore === undefined ? {} : { dueBefore: instantOf(options.dueBefore) }),
    ...(options.pageMessages === undefined ? {} : { limit: options.pageMessages }),
  };
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? range : { ...range, cursor };
    const page = await parts.carrier.call('list', { ...inTopic, query }, signalOf(options));
    for (const message of page.messages) {
      const { id, deliverAtMs, headers } = message;
      yield { id, deliverAtMs, headers, payload: shownPayload(message) };
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}
