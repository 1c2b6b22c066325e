import type { AnswerOf } from '@holdfast/api';
import { expect, test } from 'vitest';
import { fakeStore, leased } from '../test/fake-store.ts';

const scheduled = (count: number): AnswerOf<'schedule'> => ({
  messages: Array.from({ length: count }, (_, at) => ({ id: `m000000${at}`, deliverAtMs: 5 })),
  repeated: false,
});
const json = { 'content-type': 'application/json' };
const bytesOf = (text: string) => new TextEncoder().encode(text);

test('a message is scheduled at an instant or after a delay, with headers and a key', async () => {
  const { store, calls } = fakeStore({ schedule: () => scheduled(1) });
  const topic = store.topic('t');
  const at = new Date('2030-01-01T09:00:00Z');
  expect(await topic.schedule({ to: 'ada' }, { at })).toEqual({ id: 'm0000000', deliverAtMs: 5, repeated: false });
  await topic.schedule(new Uint8Array([1]), { delay: '15m' }, { headers: { a: 'b' }, idempotencyKey: 'k' });
  expect(calls).toMatchObject([
    {
      verb: 'schedule',
      params: { topic: 't' },
      body: { messages: [{ at: at.getTime(), headers: json, bodyBytes: bytesOf('{"to":"ada"}') }] },
      idempotencyKey: undefined,
    },
    {
      body: { messages: [{ delay: '15m', headers: { a: 'b' }, bodyBytes: new Uint8Array([1]) }] },
      idempotencyKey: 'k',
    },
  ]);
});

test('a batch is one request', async () => {
  const { store, calls } = fakeStore({
    schedule: ({ body }) => scheduled('messages' in body ? body.messages.length : 1),
  });
  const { messages } = await store.topic('t').scheduleBatch([
    { payload: 1, when: { delay: 5 } },
    { payload: 2, when: { at: '2030-01-01T09:00:00Z' } },
  ]);
  expect(messages).toHaveLength(2);
  expect(calls).toHaveLength(1);
});

test('a list goes on to the next page when it is read so far', async () => {
  const page = (id: string, cursor?: string): AnswerOf<'list'> => ({
    messages: [{ id, deliverAtMs: 1, headers: json, bodyBytes: bytesOf('[1]') }],
    ...(cursor === undefined ? {} : { cursor }),
  });
  const { store, calls } = fakeStore({
    list: ({ query }) => (query.cursor === undefined ? page('m1', 'c') : page('m2')),
  });
  const seen = [];
  for await (const message of store.topic('t').list({ dueAfter: new Date(5), pageMessages: 1 })) seen.push(message);
  expect(seen).toEqual([
    { id: 'm1', deliverAtMs: 1, headers: json, payload: [1] },
    { id: 'm2', deliverAtMs: 1, headers: json, payload: [1] },
  ]);
  expect(calls.map(({ query }) => query)).toEqual([
    { dueAfter: 5, limit: 1 },
    { dueAfter: 5, limit: 1, cursor: 'c' },
  ]);
});

test('a message is looked at with its payload while it is there, and without afterwards', async () => {
  const { store } = fakeStore({
    get: ({ params }) =>
      params.id === 'gone'
        ? { id: 'gone', state: 'delivered', groups: [] }
        : { id: 'here', state: 'waiting', groups: [], headers: json, bodyBytes: bytesOf('null') },
  });
  expect(await store.topic('t').get('gone')).toEqual({ id: 'gone', state: 'delivered', groups: [] });
  expect(await store.topic('t').get('here')).toMatchObject({ state: 'waiting', payload: null });
});

test('a receive that waits asks again each second, until its time is over or something came', async () => {
  let receives = 0;
  const fake = fakeStore({
    async receive({ body }) {
      receives += 1;
      const waitMs = Number(body.wait);
      await new Promise<void>((resolve) => void fake.clock.after(waitMs, resolve));
      return { messages: receives === 7 ? [leased(1)] : [] };
    },
  });
  const group = fake.store.topic('t').group('g');
  const nothing = group.receive({ wait: '2500ms', max: 5, lease: '1m' });
  await fake.clock.advance(2_500);
  expect(await nothing).toEqual([]);
  expect(fake.calls.map(({ body }) => Object(body))).toMatchObject([
    { wait: 1_000, max: 5, lease: 60_000 },
    { wait: 1_000 },
    { wait: 500 },
  ]);
  const something = group.receive({ wait: '1m' });
  await fake.clock.advance(4_000);
  expect(await something).toMatchObject([{ id: 'm0000001', payload: 1, receipt: 'r0000001', token: 1 }]);
  expect(receives).toBe(7);
});

test('receipts are settled in pieces that a node takes, deliveries or text', async () => {
  const { store, calls } = fakeStore({
    ack: ({ body }) => ({ results: body.receipts.map((receipt) => ({ receipt, result: 'ok' })) }),
    extend: ({ body }) => ({ results: body.receipts.map((receipt) => ({ receipt, result: 'ok' })) }),
    nack: ({ body }) => ({ results: body.receipts.map((receipt) => ({ receipt, result: 'ok' })) }),
  });
  const group = store.topic('t').group('g');
  const many = Array.from({ length: 300 }, (_, at) => `r${String(at).padStart(7, '0')}`);
  expect(await group.ack(many)).toHaveLength(300);
  expect(calls.map(({ body }) => Object(body).receipts.length)).toEqual([256, 44]);
  await group.nack({ receipt: 'r0000001' }, { delay: '5s', reason: 'later' });
  await group.extend('r0000001', '1m');
  expect(calls.slice(2).map(({ body }) => body)).toEqual([
    { receipts: ['r0000001'], delay: '5s', reason: 'later' },
    { receipts: ['r0000001'], lease: '1m' },
  ]);
});

test('an impossible duration is refused by its name before anything is sent', async () => {
  const { store, calls } = fakeStore({});
  const refusal = store.topic('t').group('g').receive({ wait: 'soon' });
  await expect(refusal).rejects.toMatchObject({ code: 'HF_INVALID_REQUEST', facts: { fields: [{ path: 'wait' }] } });
  expect(calls).toHaveLength(0);
});
