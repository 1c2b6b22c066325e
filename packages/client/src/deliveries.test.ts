import { HoldfastError } from '@holdfast/api';
import { expect, test } from 'vitest';
import { fakeStore, leased, silence } from '../test/fake-store.ts';
import { settle } from '../test/manual-clock.ts';

const broken = { ...leased(1), body: undefined, bodyBytes: new Uint8Array([0x7b]) };
const receive = () => ({ messages: [broken, leased(2)] });

test('a payload that can not be decoded does not hold back the others while it is given back', async () => {
  const { store, calls } = fakeStore({ receive, nack: () => silence(undefined) });
  expect(await store.topic('t').group('g').receive({ max: 2 })).toMatchObject([{ payload: 2 }]);
  expect(calls.map(({ verb }) => verb)).toEqual(['receive', 'nack']);
});

test('the others are there, too, when giving it back fails, and a worker hears of both', async () => {
  const failure = new HoldfastError('HF_UNREACHABLE');
  const fake = fakeStore({
    receive: (request, signal) =>
      fake.calls.filter(({ verb }) => verb === 'receive').length === 1
        ? receive()
        : request.body.repeated === true
          ? { messages: [] }
          : silence(signal),
    nack: () => Promise.reject(failure),
    ack: ({ body }) => ({ results: body.receipts.map((receipt) => ({ receipt, result: 'ok' })) }),
  });
  const seen: unknown[] = [];
  const errors: unknown[] = [];
  const worker = fake.store
    .topic('t')
    .group('g')
    .worker(({ payload }) => void seen.push(payload), {
      concurrency: 2,
      onError: (error, place) => errors.push([place, error]),
    });
  await settle();
  expect(seen).toEqual([2]);
  expect(errors).toEqual([
    ['payload', expect.any(HoldfastError)],
    ['payload', failure],
  ]);
  await worker.stop();
});
