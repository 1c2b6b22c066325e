import { expect, test } from 'vitest';
import { bytes, Harness, receiveId } from '../test/harness.ts';
import { origin } from './index.ts';

test('a message goes its way: scheduled, leased, acknowledged, gone', async () => {
  const node = await Harness.open();
  const config = { maxAttempts: 3, backoffFirstMs: 0, backoffMaxMs: 0 };
  await node.apply({
    kind: 'createGroup',
    topic: 't',
    group: 'g',
    start: { kind: 'earliest' },
    config,
    replaceConfig: false,
  });
  const scheduled = await node.apply({
    kind: 'schedule',
    topic: 't',
    messages: [{ at: { kind: 'delay', delayMs: 500 }, headers: bytes('h'), body: bytes('b') }],
    idempotency: undefined,
  });
  expect(scheduled).toEqual({
    kind: 'scheduled',
    topic: 1,
    positions: [{ fireAtMs: 1_000_500, seq: 1 }],
    repeated: false,
  });
  node.stampMs += 1_000;
  await node.apply({ kind: 'tick' });

  const view = node.store.view();
  const now = { fireAtMs: view.clockMs, seq: view.seq };
  const [position] = await view.lane(1, origin, now, 10);
  expect(position).toEqual({ fireAtMs: 1_000_500, seq: 1 });
  await view.close();
  if (position === undefined) return;

  const leased = await node.apply({
    kind: 'lease',
    topic: 1,
    group: 1,
    cursor: { from: origin, to: now },
    receives: [{ receiveId: receiveId(7), leaseMs: 30_000 }],
    lane: [{ position, receive: 0 }],
    retries: [],
  });
  expect(leased).toEqual({
    kind: 'leased',
    leases: [{ position, receive: 0, token: 2, attempt: 1, untilMs: 1_031_000 }],
  });
  expect(await node.store.check()).toEqual([]);
  expect(await node.apply({ kind: 'ack', topic: 1, group: 1, leases: [{ position, token: 2 }] })).toEqual({
    kind: 'answers',
    answers: ['ok'],
  });
  const after = node.store.view();
  expect(after.message(1, position)).toBeUndefined();
  expect(after.topicByName('t')).toMatchObject({ scheduled: 1, delivered: 1 });
  expect(after.groupByName(1, 'g')).toMatchObject({ acknowledged: 1, outstanding: 0 });
  expect(after.fate(1, position)).toEqual({ kind: 'delivered' });
  await after.close();
  expect(await node.store.check()).toEqual([]);
});
