// The store as a user holds it, the same for a client of a cluster, an embedded node and a member.
import type { AnswerOf } from '@holdfast/api';
import { type CallOptions, type ClientParts, type ReadOptions, readQuery, signalOf } from './client-parts.ts';
import { checkedPayload, type StandardSchema, uncheckedPayload } from './payload.ts';
import type { CarrierCounters } from './retrying-carrier.ts';
import { createTopic, type Topic } from './topic.ts';

export interface HoldfastStore extends AsyncDisposable {
  /** A handle; nothing is sent. The first message, or the first receive of a group, creates the topic. */
  topic<Payload = unknown>(name: string): Topic<Payload>;
  /** @param options.payload any Standard Schema (zod and others): checks what is scheduled, and again what is received */
  topic<Input, Output>(
    name: string,
    options: { readonly payload: StandardSchema<Input, Output> },
  ): Topic<Input, Output>;
  topics(options?: ReadOptions): Promise<AnswerOf<'topics'>['topics']>;
  /** The cluster as the node that answers sees it. */
  cluster(options?: CallOptions): Promise<AnswerOf<'cluster'>>;
  /** Attempts, repeats, refusals and queues of this client, since it was made. */
  counters(): CarrierCounters;
  /** Ends every call that is under way, and closes what this store opened. */
  close(): Promise<void>;
}

export function createStore(parts: ClientParts): HoldfastStore {
  const { carrier } = parts;
  const nowhere = { params: {}, query: {}, body: undefined, idempotencyKey: undefined } as const;

  function topic<Payload>(name: string): Topic<Payload>;
  function topic<Input, Output>(
    name: string,
    options: { payload: StandardSchema<Input, Output> },
  ): Topic<Input, Output>;
  function topic(name: string, options?: { payload: StandardSchema<unknown, unknown> }): Topic<unknown> {
    return createTopic(parts, name, options === undefined ? uncheckedPayload() : checkedPayload(options.payload));
  }

  return {
    topic,
    topics: async (options = {}) => {
      const request = { ...nowhere, query: readQuery(options) };
      return (await carrier.call('topics', request, signalOf(options))).topics;
    },
    cluster: (options = {}) => carrier.call('cluster', nowhere, signalOf(options)),
    counters: () => carrier.counters(),
    close: () => carrier.close(),
    [Symbol.asyncDispose]: () => carrier.close(),
  };
}
