import type { AnswerOf } from '@holdfast/api';
import { expect, test } from 'vitest';
import { type Answers, fakeStore, leased, silence } from '../../test/fake-store.ts';
import { ManualClock, settle } from '../../test/manual-clock.ts';
import type { WorkerMessage } from '../worker.ts';
import { LeaseKeeper } from './lease-keeper.ts';

const leaseMs = 10_000;
type Extended = AnswerOf<'extend'>['results'];
const okFor = (receipts: readonly string[]): Extended =>
  receipts.map((receipt) => ({ receipt, result: 'ok', leasedUntilMs: 1 }));

test('what is left of a lease decides when it is extended, and when it is lost', async () => {
  const clock = new ManualClock();
  const extendedAtMs: number[] = [];
  let lostAtMs = Number.NaN;
  const keeper = new LeaseKeeper({
    clock,
    leaseMs,
    extend(_, signal) {
      extendedAtMs.push(clock.monotonicMs());
      return silence(signal);
    },
    onError: () => undefined,
  });
  keeper.keep('r', 2_000, () => (lostAtMs = clock.monotonicMs()));
  await clock.advance(leaseMs);
  expect(extendedAtMs).toEqual([800]);
  expect(lostAtMs).toBe(2_000);
  expect(clock.timers).toBe(0);
});

test('an extension that is answered after the stop is the last one', async () => {
  const clock = new ManualClock();
  const answering: (() => void)[] = [];
  const keeper = new LeaseKeeper({
    clock,
    leaseMs,
    extend: (receipts) => new Promise((resolve) => answering.push(() => resolve(okFor(receipts)))),
    onError: () => undefined,
  });
  keeper.keep('r', leaseMs, () => undefined);
  await clock.advance(4_000);
  keeper.stop();
  answering[0]?.();
  await settle();
  expect(clock.timers).toBe(0);
  await clock.advance(10 * leaseMs);
  expect(answering).toHaveLength(1);
});

/** A worker of one handler, whose extensions nobody answers unless `extend` does. @param answersOf is given a pause */
function workerOn(answersOf: (pass: (ms: number) => Promise<void>) => Answers) {
  const pass = (ms: number) => new Promise<void>((resolve) => fake.clock.after(ms, resolve));
  const fake = fakeStore({ extend: (_, signal) => silence(signal), ...answersOf(pass) });
  const messages: WorkerMessage<unknown>[] = [];
  let done = (): void => undefined;
  const handler = (message: WorkerMessage<unknown>): Promise<void> => {
    messages.push(message);
    return new Promise((resolve) => (done = resolve));
  };
  const worker = fake.store
    .topic('t')
    .group('g')
    .worker(handler, { lease: leaseMs, concurrency: 1, onError: () => undefined });
  return { ...fake, worker, isLost: () => messages[0]?.signal.aborted, done: () => done() };
}

test('a lease counts from before its receive was sent, however long the answer took', async () => {
  const fake = workerOn((pass) => ({
    async receive() {
      await pass(3_500);
      return { messages: [leased(1)] };
    },
  }));
  await fake.clock.advance(9_999);
  expect(fake.isLost()).toBe(false);
  await fake.clock.advance(1);
  expect(fake.isLost()).toBe(true);
});

test('the lease of a receive that was repeated counts half from its last attempt', async () => {
  const fake = workerOn((pass) => ({
    async receive(_, __, onAttempt) {
      onAttempt?.();
      await pass(60_000);
      onAttempt?.();
      await pass(1_000);
      return { messages: [leased(1)] };
    },
  }));
  await fake.clock.advance(64_999);
  expect(fake.isLost()).toBe(false);
  await fake.clock.advance(1);
  expect(fake.isLost()).toBe(true);
});

test('a receive waits a third of the lease at most, so that enough of it is left for sure', async () => {
  const fake = fakeStore({
    receive: ({ body }, signal) => (body.repeated === true ? { messages: [] } : silence(signal)),
  });
  const worker = fake.store
    .topic('t')
    .group('g')
    .worker(() => undefined, { lease: 1_000, concurrency: 1 });
  await settle();
  expect(fake.calls[0]?.body).toMatchObject({ lease: 1_000, wait: 333 });
  await worker.stop();
});

test('an extension that comes behind the ack loses nothing', async () => {
  let acknowledge = (): void => undefined;
  let handedOut = false;
  const fake = workerOn(() => ({
    receive({ body }, signal) {
      if (handedOut) return body.repeated === true ? { messages: [] } : silence(signal);
      handedOut = true;
      return { messages: [leased(1)] };
    },
    async ack({ body }) {
      await new Promise<void>((resolve) => (acknowledge = resolve));
      return { results: okFor(body.receipts) };
    },
    extend: ({ body }) => ({
      results: body.receipts.map((receipt) => ({ receipt, result: 'receiptNotCurrent' as const })),
    }),
  }));
  await settle();
  fake.done();
  await fake.clock.advance(5_000);
  expect(fake.calls.filter(({ verb }) => verb === 'extend')).toHaveLength(1);
  acknowledge();
  await settle();
  expect(fake.worker.counters()).toMatchObject({ leasesLost: 0, acknowledged: 1, settling: 0 });
  await fake.worker.stop();
});
