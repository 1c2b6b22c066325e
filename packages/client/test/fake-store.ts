// A store over a carrier that answers from a table of functions: for tests of what lies above the carrier.
import { type AnswerOf, HoldfastError, type RequestOf, type Verb } from '@holdfast/api';
import type { CarrierCallOptions } from '../src/carrier.ts';
import { createStore, type HoldfastStore } from '../src/holdfast-store.ts';
import type { RetryingCarrier } from '../src/retrying-carrier.ts';
import { ManualClock } from './manual-clock.ts';

export type Answers = {
  readonly [V in Verb]?: (
    request: RequestOf<V>,
    signal: AbortSignal | undefined,
    onAttempt?: () => void,
  ) => AnswerOf<V> | Promise<AnswerOf<V>>;
};

export interface Call {
  readonly verb: Verb;
  readonly params: object;
  readonly query: object;
  readonly body: unknown;
  readonly idempotencyKey: string | undefined;
}

export function fakeStore(answers: Answers): { store: HoldfastStore; clock: ManualClock; calls: Call[] } {
  const clock = new ManualClock();
  const calls: Call[] = [];
  const closing = new AbortController();
  const carrier: RetryingCarrier = {
    get isClosed() {
      return closing.signal.aborted;
    },
    async call<V extends Verb>(verb: V, request: RequestOf<V>, options: CarrierCallOptions) {
      const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])]);
      signal.throwIfAborted();
      calls.push({ verb, ...request });
      const answer: Answers[V] = answers[verb];
      if (answer === undefined) throw new Error(`this test does not answer ${verb}`);
      return answer(request, signal, options.onAttempt);
    },
    counters: () => {
      throw new Error('a fake carrier counts nothing');
    },
    close: async () => closing.abort(new HoldfastError('HF_STOPPING')),
  };
  let drawn = 0;
  const randomBytes = (count: number) => new Uint8Array(count).fill((drawn += 1));
  return { store: createStore({ carrier, clock, randomBytes, sliceMs: 1_000 }), clock, calls };
}

/** A leased message as a node answers it. */
export function leased(number: number, payload: unknown = number): AnswerOf<'receive'>['messages'][number] {
  return {
    id: `m000000${number}`,
    receipt: `r000000${number}`,
    attempt: 1,
    token: number,
    deliverAtMs: 1_900_000_000_000,
    leasedUntilMs: 1_900_000_030_000,
    headers: { 'content-type': 'application/json' },
    body: payload,
  };
}

/** Never answers; rejects when its caller walks away, as a carrier does. */
export function silence(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
