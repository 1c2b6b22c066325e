import { HoldfastError, type RequestOf } from '@holdfast/api';
import { afterEach, expect, test, vi } from 'vitest';
import { type Answers, fakeStore, leased, silence } from '../test/fake-store.ts';
import { settle } from '../test/manual-clock.ts';
import { LeaseLostError } from './worker/lease-keeper.ts';
import type { WorkerErrorPlace, WorkerMessage } from './worker.ts';

const settledAs =
  (result: 'ok' | 'receiptNotCurrent') =>
  ({ body }: Pick<RequestOf<'ack'>, 'body'>) => ({
    results: body.receipts.map((receipt) => ({ receipt, result })),
  });
const ok = settledAs('ok');

/** Hands out these messages once, as many as asked for, and then waits like a node does. */
function handOut(count: number): NonNullable<Answers['receive']> {
  let next = 1;
  return (request, signal) => {
    const { max = 1, repeated = false } = request.body;
    if (next > count && repeated) return { messages: [] };
    if (next > count) return silence(signal);
    const messages = Array.from({ length: Math.min(max, count + 1 - next) }, () => leased(next++));
    return { messages };
  };
}

/** A handler that waits until it is told to go on. */
function held() {
  const messages: WorkerMessage<unknown>[] = [];
  const going: ((error?: Error) => void)[] = [];
  const handler = (message: WorkerMessage<unknown>): Promise<void> => {
    messages.push(message);
    return new Promise((resolve, reject) => going.push((error) => (error === undefined ? resolve() : reject(error))));
  };
  return { messages, handler, go: (at: number, error?: Error) => going[at]?.(error) };
}

const met: unknown[] = [];
const noErrors = (error: unknown, place: WorkerErrorPlace): void => void met.push([place, error]);
afterEach(() => expect(met.splice(0)).toEqual([]));

test('a handler gets the message and what is known of it; returning acknowledges', async () => {
  const { store, calls, clock } = fakeStore({ receive: handOut(1), ack: ok });
  await clock.advance(250);
  const seen: WorkerMessage<unknown>[] = [];
  const worker = store
    .topic('t')
    .group('g', { maxAttempts: 3 })
    .worker((message) => void seen.push(message), { concurrency: 1, onError: noErrors });
  await settle();
  expect(seen).toMatchObject([
    { id: 'm0000001', payload: 1, attempt: 1, token: 1, latenessMs: 250, deliverAt: new Date(1_900_000_000_000) },
  ]);
  expect(calls[0]?.body).toMatchObject({
    max: 1,
    lease: 30_000,
    wait: 1_000,
    create: { start: 'earliest', maxAttempts: 3 },
  });
  expect(calls.filter(({ verb }) => verb === 'ack').map(({ body }) => body)).toEqual([{ receipts: ['r0000001'] }]);
  expect(worker.counters()).toMatchObject({ received: 1, acknowledged: 1, running: 0, settling: 0 });
  await worker.stop();
  expect(clock.timers).toBe(0);
});

test('messages that are done in one turn are acknowledged in one request', async () => {
  const { store, calls } = fakeStore({ receive: handOut(5), ack: ok });
  const worker = store
    .topic('t')
    .group('g')
    .worker(() => undefined, { onError: noErrors });
  await settle();
  expect(calls.filter(({ verb }) => verb === 'ack').map(({ body }) => body)).toEqual([
    { receipts: ['r0000001', 'r0000002', 'r0000003', 'r0000004', 'r0000005'] },
  ]);
  await worker.stop();
});

test('no more handlers run than `concurrency`, and a place that is free is used at once', async () => {
  const { store, calls } = fakeStore({ receive: handOut(5), ack: ok });
  const { messages, handler, go } = held();
  const worker = store.topic('t').group('g').worker(handler, { concurrency: 2, onError: noErrors });
  await settle();
  expect(messages).toHaveLength(2);
  go(0);
  await settle();
  expect(messages).toHaveLength(3);
  expect(calls.filter(({ verb }) => verb === 'receive').map(({ body }) => Object(body).max)).toEqual([1, 1, 1]);
  const stopping = worker.stop();
  go(1);
  go(2);
  await stopping;
  expect(worker.counters()).toMatchObject({ received: 3, acknowledged: 3 });
});

test('a few receives wait at once, and together they ask for no more than there are places', async () => {
  const receive: Answers['receive'] = ({ body }, signal) =>
    body.repeated === true ? { messages: [] } : silence(signal);
  const { store, calls } = fakeStore({ receive });
  const worker = store
    .topic('t')
    .group('g')
    .worker(() => undefined, { concurrency: 64, onError: noErrors });
  await settle();
  const asked = calls.filter(({ verb }) => verb === 'receive').map(({ body }) => Number(Object(body).max));
  expect(asked).toHaveLength(3);
  expect(asked.reduce((sum, max) => sum + max, 0)).toBe(64);
  await worker.stop();
  const again = calls.filter(({ verb }) => verb === 'receive').slice(3);
  expect(again).toHaveLength(3);
  for (const { body } of again) expect(body).toMatchObject({ repeated: true, max: 1 });
});

test('throwing gives the message back with the reason', async () => {
  const { store, calls } = fakeStore({ receive: handOut(1), nack: ok });
  const errors: WorkerErrorPlace[] = [];
  const worker = store
    .topic('t')
    .group('g')
    .worker(
      () => {
        throw new Error('no such address');
      },
      { onError: (_, place) => errors.push(place) },
    );
  await settle();
  expect(calls.find(({ verb }) => verb === 'nack')?.body).toEqual({
    receipts: ['r0000001'],
    reason: 'no such address',
  });
  expect(errors).toEqual(['handler']);
  expect(worker.counters()).toMatchObject({ failed: 1, acknowledged: 0, errors: { handler: 1 } });
  await worker.stop();
});

test('a lease is extended while its handler runs, and not afterwards', async () => {
  const extend: Answers['extend'] = (request) => ({
    results: request.body.receipts.map((receipt) => ({ receipt, result: 'ok' as const, leasedUntilMs: 1 })),
  });
  const { store, calls, clock } = fakeStore({ receive: handOut(2), ack: ok, extend });
  const { messages, handler, go } = held();
  const worker = store.topic('t').group('g').worker(handler, { lease: '10s', onError: noErrors });
  const extended = () => calls.filter(({ verb }) => verb === 'extend').map(({ body }) => body);
  await clock.advance(4_000);
  expect(extended()).toEqual([{ receipts: ['r0000001', 'r0000002'], lease: 10_000 }]);
  go(0);
  await clock.advance(60_000);
  expect(extended().slice(1)).toEqual(Array.from({ length: 9 }, () => ({ receipts: ['r0000002'], lease: 10_000 })));
  expect(messages[1]?.signal.aborted).toBe(false);
  go(1);
  await settle();
  const count = extended().length;
  await clock.advance(60_000);
  expect(extended()).toHaveLength(count);
  await worker.stop();
});

test('the signal fires when a node says that the lease is lost', async () => {
  const extend: Answers['extend'] = (request) => ({
    results: request.body.receipts.map((receipt) => ({ receipt, result: 'receiptNotCurrent' as const })),
  });
  const { store, clock } = fakeStore({ receive: handOut(1), ack: settledAs('receiptNotCurrent'), extend });
  const { messages, handler, go } = held();
  const worker = store.topic('t').group('g').worker(handler, { onError: noErrors });
  await clock.advance(12_000);
  expect(messages[0]?.signal.reason).toBeInstanceOf(LeaseLostError);
  go(0);
  await worker.stop();
  expect(worker.counters()).toMatchObject({ leasesLost: 1, lateAcks: 1, acknowledged: 0 });
});

test('the signal fires when no node answers until the lease has ended, not before', async () => {
  const { store, clock } = fakeStore({ receive: handOut(1), ack: ok, extend: (_, signal) => silence(signal) });
  const { messages, handler, go } = held();
  const worker = store.topic('t').group('g').worker(handler, { onError: noErrors });
  await clock.advance(29_999);
  expect(messages[0]?.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(messages[0]?.signal.reason).toBeInstanceOf(LeaseLostError);
  go(0);
  await worker.stop();
});

test('an extend that fails is reported, and tried again before the lease ends', async () => {
  let asked = 0;
  const { store, clock } = fakeStore({
    receive: handOut(1),
    ack: ok,
    extend(request) {
      asked += 1;
      if (asked === 1) throw new HoldfastError('HF_UNREACHABLE');
      return { results: request.body.receipts.map((receipt) => ({ receipt, result: 'ok' as const })) };
    },
  });
  const { messages, handler, go } = held();
  const places: WorkerErrorPlace[] = [];
  const worker = store
    .topic('t')
    .group('g')
    .worker(handler, { onError: (_, place) => places.push(place) });
  await clock.advance(31_000);
  expect(places).toEqual(['extend']);
  expect(messages[0]?.signal.aborted).toBe(false);
  go(0);
  await worker.stop();
});

test('whatever a handler throws, its message is given back', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const thrown = [Object.assign(new Error(), { message: { code: 7 } }), Object.create(null)];
  const { store, calls } = fakeStore({ receive: handOut(2), nack: ok });
  const worker = store
    .topic('t')
    .group('g')
    .worker(
      () => {
        throw thrown.shift();
      },
      { concurrency: 1 },
    );
  await settle();
  const given = calls.filter(({ verb }) => verb === 'nack').map(({ body }) => body);
  expect(given).toEqual([
    { receipts: ['r0000001'], reason: '[object Object]' },
    { receipts: ['r0000002'], reason: 'something that has no text' },
  ]);
  expect(worker.counters()).toMatchObject({ failed: 2, settling: 0, running: 0 });
  await worker.stop();
  warned.mockRestore();
});

test('a stop waits no longer than it was told to, not for its last receive either, and no handler begins after it', async () => {
  const { store, clock } = fakeStore({ receive: (_, signal) => silence(signal) });
  const handler = vi.fn();
  const worker = store
    .topic('t')
    .group('g')
    .worker(handler, { onError: () => undefined });
  await settle();
  let ended = false;
  const stopping = worker.stop({ within: 100 }).then(() => (ended = true));
  await clock.advance(100);
  expect(ended).toBe(true);
  await stopping;
  expect(clock.timers).toBe(0);
  expect(handler).not.toHaveBeenCalled();
});

test('a receive that fails is visible and repeated, with longer and longer pauses', async () => {
  const atMs: number[] = [];
  const fake = fakeStore({
    receive() {
      atMs.push(fake.clock.monotonicMs());
      throw new HoldfastError('HF_UNREACHABLE');
    },
  });
  const onError = vi.fn();
  const worker = fake.store
    .topic('t')
    .group('g')
    .worker(() => undefined, { concurrency: 1, onError });
  await fake.clock.advance(12_000);
  expect(atMs).toEqual([0, 100, 300, 700, 1_500, 3_100, 6_300, 11_300]);
  expect(onError).toHaveBeenCalledTimes(8);
  expect(worker.counters().errors.receive).toBe(8);
  await worker.stop();
  expect(fake.clock.timers).toBe(0);
});

test('without onError the first error of a place becomes a warning of the process', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const { store, clock } = fakeStore({
    receive() {
      throw new HoldfastError('HF_UNREACHABLE');
    },
  });
  const worker = store
    .topic('t')
    .group('g')
    .worker(() => undefined);
  await clock.advance(1_000);
  await worker.stop();
  expect(warned.mock.calls).toHaveLength(1);
  expect(String(warned.mock.calls[0]?.[0])).toContain('t/g met an error (receive)');
  warned.mockRestore();
});

test('an onError that throws costs a warning and nothing else: what it was told of is settled, and the worker goes on', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const hand = handOut(4);
  let receives = 0;
  let acks = 0;
  const { store, clock, calls } = fakeStore({
    receive(request, signal) {
      receives += 1;
      if (receives === 1) throw new HoldfastError('HF_UNREACHABLE');
      return hand(request, signal);
    },
    ack(request) {
      acks += 1;
      if (acks === 1) throw new HoldfastError('HF_UNREACHABLE');
      return ok(request);
    },
    nack: () => Promise.reject(new HoldfastError('HF_UNREACHABLE')),
  });
  const worker = store
    .topic('t')
    .group('g')
    .worker(
      ({ payload }) => {
        if (payload === 1) throw new Error('no such address');
      },
      {
        concurrency: 1,
        onError() {
          throw new Error('no such log');
        },
      },
    );
  await clock.advance(1_000);
  expect(worker.counters()).toMatchObject({ received: 4, acknowledged: 1, running: 0, settling: 0 });
  expect(worker.counters().errors).toMatchObject({ receive: 1, handler: 1, nack: 1, ack: 2 });
  expect(calls.filter(({ verb }) => verb === 'nack')).toHaveLength(1);
  expect(warned.mock.calls).toEqual([['onError of a worker of t/g threw: no such log']]);
  warned.mockRestore();
  await worker.stop();
  expect(clock.timers).toBe(0);
});

test('a payload that does not fit is given back with the reason, and the others are handled', async () => {
  const broken = { ...leased(1), body: undefined, bodyBytes: new Uint8Array([0x7b]) };
  const receive: Answers['receive'] = ({ body }, signal) => {
    if (body.receiveId?.startsWith('01') === true) return { messages: [broken, leased(2)] };
    return body.repeated === true ? { messages: [] } : silence(signal);
  };
  const { store, calls } = fakeStore({ receive, ack: ok, nack: ok });
  const seen: unknown[] = [];
  const places: WorkerErrorPlace[] = [];
  const worker = store
    .topic('t')
    .group('g')
    .worker((message) => void seen.push(message.payload), { onError: (_, place) => places.push(place) });
  await settle();
  expect(seen).toEqual([2]);
  expect(places).toEqual(['payload']);
  expect(calls.find(({ verb }) => verb === 'nack')?.body).toMatchObject({ receipts: ['r0000001'] });
  await worker.stop();
});

test('a stop asks once more for what was leased to the receive that it broke off', async () => {
  const receive: Answers['receive'] = (request, signal) =>
    request.body.repeated === true ? { messages: [leased(7)] } : silence(signal);
  const { store, calls } = fakeStore({ receive, ack: ok });
  const seen: string[] = [];
  const worker = store
    .topic('t')
    .group('g')
    .worker((message) => void seen.push(message.id), { concurrency: 1, onError: noErrors });
  await settle();
  await worker.stop();
  expect(seen).toEqual(['m0000007']);
  const [first, last] = calls.filter(({ verb }) => verb === 'receive').map(({ body }) => Object(body));
  expect(last).toMatchObject({ receiveId: first.receiveId, repeated: true, wait: 0, max: 1 });
  expect(worker.counters()).toMatchObject({ acknowledged: 1, settling: 0 });
});

test('a stop waits for handlers, but not for ever; their signals fire then', async () => {
  const { store, clock } = fakeStore({ receive: handOut(1) });
  const { messages, handler } = held();
  const controller = new AbortController();
  const worker = store.topic('t').group('g').worker(handler, { signal: controller.signal, onError: noErrors });
  await settle();
  controller.abort();
  let stopped = false;
  const stopping = Promise.all([worker.stop({ within: '5s' }), worker.stop({ within: '4s' })]).then(
    () => (stopped = true),
  );
  await clock.advance(4_999);
  expect(stopped).toBe(false);
  expect(messages[0]?.signal.aborted).toBe(true);
  await clock.advance(1);
  await stopping;
  // The stop that the signal asked for has its own time; after it nothing is extended any more.
  await clock.advance(30_000);
  expect(clock.timers).toBe(0);
});

test('what is done while an ack is under way waits, and goes together', async () => {
  const answering: (() => void)[] = [];
  const ack: Answers['ack'] = async (request) => {
    await new Promise<void>((resolve) => answering.push(resolve));
    return ok(request);
  };
  const { store, calls } = fakeStore({ receive: handOut(3), ack });
  const { handler, go } = held();
  const worker = store.topic('t').group('g').worker(handler, { onError: noErrors });
  await settle();
  for (const at of [0, 1, 2]) {
    go(at);
    await settle();
  }
  answering[0]?.();
  await settle();
  answering[1]?.();
  await worker.stop();
  expect(calls.filter(({ verb }) => verb === 'ack').map(({ body }) => Object(body).receipts)).toEqual([
    ['r0000001'],
    ['r0000002', 'r0000003'],
  ]);
});

test('nothing more is received while too many acks are not answered', async () => {
  const { store, clock } = fakeStore({ receive: handOut(3_000), ack: () => silence(undefined) });
  const worker = store
    .topic('t')
    .group('g')
    .worker(() => undefined, { concurrency: 2_000, onError: noErrors });
  for (let turn = 0; turn < 10; turn += 1) await settle();
  expect(worker.counters()).toMatchObject({ received: 1_024, settling: 1_024, running: 0 });
  const stopping = worker.stop({ within: '1s' });
  await clock.advance(1_000);
  await stopping;
});

test.each([0, -1, 1.5, Number.NaN])('a concurrency of %s is refused', (concurrency) => {
  const { store } = fakeStore({});
  expect(() =>
    store
      .topic('t')
      .group('g')
      .worker(() => undefined, { concurrency }),
  ).toThrow(RangeError);
});

test('a worker whose store was closed ends, and leaves no timer behind', async () => {
  const { store, calls, clock } = fakeStore({ receive: handOut(0) });
  const worker = store
    .topic('t')
    .group('g')
    .worker(() => undefined, { onError: noErrors });
  await clock.advance(10);
  await store.close();
  await clock.advance(10_000);
  const { length } = calls;
  await clock.advance(60_000);
  expect([calls.length, clock.timers]).toEqual([length, 0]);
  await worker.stop();
});
