// The life of messages in a cluster, through the service alone.
import { afterEach, expect, test } from 'vitest';
import { Cluster, inReminders, ofMailer, textOf } from './cluster.ts';

let cluster: Cluster;
afterEach(async () => {
  for (const { fatal } of cluster.nodes.values()) expect(fatal).toEqual([]);
  await cluster.stop();
});

const one = <Item>(items: readonly Item[]): Item => {
  const [item] = items;
  if (item === undefined || items.length !== 1) throw new Error(`there are ${items.length}, not one`);
  return item;
};
const receiptsOf = (messages: readonly { readonly receipt: string }[]) => messages.map(({ receipt }) => receipt);

test.each([[['n1', 'n2', 'n3']], [['n1']]])(
  'in %j: scheduled, received when due and not before, acknowledged, each at another node',
  async (ids) => {
    cluster = await Cluster.start(ids);
    const [first = 'n1', second = first, third = first] = ids;
    const { id, deliverAtMs } = await cluster.schedule(first, { to: 'ada' }, '5s');
    expect(deliverAtMs).toBeGreaterThanOrEqual(cluster.clock.wallMs() + 4_000);

    const messages = await cluster.receive(second, { wait: '30s' });
    expect(cluster.clock.wallMs()).toBeGreaterThanOrEqual(deliverAtMs);
    expect(cluster.clock.wallMs()).toBeLessThan(deliverAtMs + 200);
    expect(one(messages)).toMatchObject({
      id,
      attempt: 1,
      deliverAtMs,
      headers: { 'content-type': 'application/json' },
    });
    expect(textOf(one(messages).bodyBytes)).toBe('{"to":"ada"}');

    const { receipt } = one(messages);
    const acked = await cluster.answer(cluster.call(third, 'ack', { ...ofMailer, body: { receipts: [receipt] } }));
    expect(acked).toEqual({ results: [{ receipt, result: 'ok' }] });
    expect(await cluster.get(first, id)).toEqual({ id, state: 'delivered', groups: [] });
    expect(cluster.latenessMs).toHaveLength(1);
  },
);

test('every state of a message has its verdict for a cancel, and a repeated cancel gets it again', async () => {
  cluster = await Cluster.start();
  const waiting = await cluster.schedule('n1', 1, '1h');
  expect(await cluster.cancel('n2', waiting.id)).toEqual({ kind: 'cancelled' });
  expect(await cluster.cancel('n3', waiting.id)).toEqual({ kind: 'cancelled' });
  expect(await cluster.get('n1', waiting.id)).toEqual({ id: waiting.id, state: 'cancelled', groups: [] });

  const handed = await cluster.schedule('n1', 2, 0);
  const lease = one(await cluster.receive('n1', { lease: '10s', wait: '1s' }));
  expect(lease.id).toBe(handed.id);
  expect(await cluster.cancel('n2', handed.id)).toEqual({ kind: 'leased', leasedUntilMs: lease.leasedUntilMs });
  await cluster.answer(
    cluster.call('n1', 'nack', { ...ofMailer, body: { receipts: [lease.receipt], delay: '1h', reason: 'busy' } }),
  );
  expect(await cluster.get('n1', handed.id)).toMatchObject({
    state: 'outstanding',
    groups: [{ group: 'mailer', state: 'retry', attempts: 1 }],
  });
  expect(await cluster.cancel('n2', handed.id)).toEqual({ kind: 'stopped', attempts: 1 });

  const done = await cluster.schedule('n1', 3, 0);
  const receipts = receiptsOf(await cluster.receive('n1', { wait: '1s' }));
  await cluster.answer(cluster.call('n1', 'ack', { ...ofMailer, body: { receipts } }));
  expect(await cluster.cancel('n2', done.id)).toEqual({ kind: 'delivered' });
});

test('an id of another topic names no message here, and a mistyped one is refused', async () => {
  cluster = await Cluster.start(['n1']);
  // To the other topic it is a seq that was issued and has fallen due: it might be one that its group has acknowledged.
  await cluster.answer(
    cluster.call('n1', 'putGroup', { params: { topic: 'others', group: 'g' }, query: {}, body: {} }),
  );
  const { id } = await cluster.schedule('n1', 1, 0);
  await cluster.pass(100);
  await cluster.schedule('n1', 2, '1h');
  expect(await cluster.cancel('n1', id, 'others')).toEqual({ kind: 'notFound' });
  expect(await cluster.refusal(cluster.get('n1', id, 'others'))).toMatchObject({ code: 'HF_MESSAGE_NOT_FOUND' });
  const mistyped = `${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`;
  for (const call of [() => cluster.get('n1', mistyped), () => cluster.cancel('n1', mistyped)])
    expect(await cluster.refusal(call())).toMatchObject({
      code: 'HF_INVALID_REQUEST',
      facts: { fields: [{ path: 'id' }] },
    });
  expect(await cluster.get('n1', id)).toMatchObject({ state: 'waiting' });
});

test('a key that comes again gets the first answer, also later, when its delay would mean another time', async () => {
  cluster = await Cluster.start();
  const first = await cluster.schedule('n1', 'rent', '15m', 'key-1');
  await cluster.pass(5_000);
  const again = await cluster.schedule('n2', 'rent', 900_000, 'key-1');
  expect(again).toEqual({ ...first, repeated: true });
  expect(first.repeated).toBe(false);
  expect(await cluster.refusal(cluster.schedule('n3', 'rent', '16m', 'key-1'))).toMatchObject({
    code: 'HF_IDEMPOTENCY_KEY_REUSED',
  });
});

test('a nack gives back with its delay or by the back-off, and after the last attempt makes a dead letter', async () => {
  cluster = await Cluster.start(['n1']);
  const settings = { start: 'earliest' as const, maxAttempts: 2, backoffFirst: '2s' };
  const group = await cluster.answer(cluster.call('n1', 'putGroup', { ...ofMailer, body: settings }));
  expect(group).toMatchObject({
    name: 'mailer',
    state: 'active',
    maxAttempts: 2,
    backoffFirstMs: 2_000,
    outstanding: 0,
  });
  const { id } = await cluster.schedule('n1', 'x', 0);
  const first = one(await cluster.receive('n1', { wait: '1s' }));
  await cluster.answer(cluster.call('n1', 'nack', { ...ofMailer, body: { receipts: [first.receipt] } }));
  const nackedAtMs = cluster.clock.wallMs();
  const second = one(await cluster.receive('n1', { wait: '30s' }));
  expect(second).toMatchObject({ id, attempt: 2 });
  expect(second.token).toBeGreaterThan(first.token);
  expect(cluster.clock.wallMs() - nackedAtMs).toBeGreaterThan(500);

  const late = await cluster.answer(cluster.call('n1', 'ack', { ...ofMailer, body: { receipts: [first.receipt] } }));
  expect(late.results).toEqual([{ receipt: first.receipt, result: 'receiptNotCurrent' }]);
  await cluster.answer(
    cluster.call('n1', 'nack', { ...ofMailer, body: { receipts: [second.receipt], reason: 'no such address' } }),
  );
  const letters = await cluster.answer(
    cluster.call('n1', 'deadLetters', { ...ofMailer, query: { limit: 10 }, body: undefined }),
  );
  expect(letters.cursor).toBeUndefined();
  expect(one(letters.messages)).toMatchObject({ id, attempts: 2, reason: expect.stringContaining('no such address') });
  expect(textOf(one(letters.messages).bodyBytes)).toBe('"x"');
});

test('dead letters are listed apart from what is leased or waits for a retry', async () => {
  cluster = await Cluster.start(['n1']);
  await cluster.answer(cluster.call('n1', 'putGroup', { ...ofMailer, body: { maxAttempts: 1 } }));
  const messages = [1, 2, 3, 4].map((body) => ({ body, delay: 0 }));
  const { messages: scheduled } = await cluster.answer(
    cluster.call('n1', 'schedule', { ...inReminders, body: { messages } }),
  );
  const leased = await cluster.receive('n1', { max: 4, wait: '1s', lease: '1h' });
  const [, second = '', , fourth = ''] = receiptsOf(leased);
  await cluster.answer(cluster.call('n1', 'nack', { ...ofMailer, body: { receipts: [second, fourth] } }));
  const letters = async (query: object) =>
    cluster.answer(cluster.call('n1', 'deadLetters', { ...ofMailer, query, body: undefined }));
  const first = await letters({ limit: 1 });
  expect(one(first.messages).id).toBe(scheduled[1]?.id);
  const last = await letters({ limit: 10, cursor: first.cursor });
  expect(one(last.messages).id).toBe(scheduled[3]?.id);
  expect(last.cursor).toBeUndefined();
});

test('an extended lease lasts from now, and what ran out goes to the next consumer', async () => {
  cluster = await Cluster.start();
  await cluster.schedule('n1', 'x', 0);
  const lease = one(await cluster.receive('n1', { lease: '2s', wait: '1s' }));
  await cluster.pass(1_000);
  const { results } = await cluster.answer(
    cluster.call('n2', 'extend', { ...ofMailer, body: { receipts: [lease.receipt], lease: '10s' } }),
  );
  const extended = one(results);
  expect(extended).toMatchObject({ receipt: lease.receipt, result: 'ok' });
  expect(extended.leasedUntilMs).toBeGreaterThanOrEqual(lease.leasedUntilMs + 8_000);
  const next = one(await cluster.receive('n3', { wait: '60s' }));
  expect(next).toMatchObject({ id: lease.id, attempt: 2 });
  expect(cluster.clock.wallMs()).toBeGreaterThanOrEqual(extended.leasedUntilMs ?? 0);
});

test('receipts of another group and mistyped ones change nothing', async () => {
  cluster = await Cluster.start(['n1']);
  await cluster.schedule('n1', 'x', 0);
  const { receipt } = one(await cluster.receive('n1', { wait: '1s' }));
  // The other group is done with the message: to it, every receipt of its own for it would be settled.
  const ofOthers = { params: { topic: 'reminders', group: 'others' }, query: {} };
  await cluster.answer(cluster.call('n1', 'putGroup', { ...ofOthers, body: {} }));
  const { messages } = await cluster.answer(cluster.call('n1', 'receive', { ...ofOthers, body: { wait: '1s' } }));
  const own = { ...ofOthers, body: { receipts: receiptsOf(messages) } };
  expect((await cluster.answer(cluster.call('n1', 'ack', own))).results).toMatchObject([{ result: 'ok' }]);
  for (const verb of ['ack', 'nack'] as const) {
    const answer = await cluster.answer(cluster.call('n1', verb, { ...ofOthers, body: { receipts: [receipt] } }));
    expect(answer.results).toEqual([{ receipt, result: 'notFound' }]);
  }
  const extended = cluster.call('n1', 'extend', { ...ofOthers, body: { receipts: [receipt], lease: '1m' } });
  expect((await cluster.answer(extended)).results).toEqual([{ receipt, result: 'notFound' }]);
  const mistyped = `${receipt.slice(0, -1)}${receipt.endsWith('A') ? 'B' : 'A'}`;
  const refused = cluster.call('n1', 'ack', { ...ofMailer, body: { receipts: [receipt, mistyped] } });
  expect(await cluster.refusal(refused)).toMatchObject({
    code: 'HF_INVALID_REQUEST',
    facts: { fields: [{ path: 'receipts.1' }] },
  });
});

test('a batch is kept whole, and counted', async () => {
  cluster = await Cluster.start();
  const messages = [1, 2, 3].map((body) => ({ body, delay: 0, headers: { 'x-number': String(body) } }));
  const answer = await cluster.answer(cluster.call('n1', 'schedule', { ...inReminders, body: { messages } }));
  const received = await cluster.receive('n2', { max: 10, wait: '1s' });
  expect(received.map(({ id }) => id)).toEqual(answer.messages.map(({ id }) => id));
  expect(received.map(({ headers }) => headers['x-number'])).toEqual(['1', '2', '3']);
  const [receipt = ''] = receiptsOf(received);
  await cluster.answer(cluster.call('n1', 'ack', { ...ofMailer, body: { receipts: [receipt] } }));
  const topic = await cluster.answer(cluster.call('n3', 'topic', { ...inReminders, body: undefined }));
  expect(topic).toMatchObject({
    name: 'reminders',
    scheduled: 3,
    stored: 2,
    delivered: 1,
    groups: [{ name: 'mailer', outstanding: 2, acknowledged: 1, dead: 0 }],
  });
});
