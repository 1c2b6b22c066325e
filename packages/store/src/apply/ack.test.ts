import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';

const counts = async (story: Story) => {
  const view = story.node.store.view();
  const groups = view.groups(topic).map(({ acknowledged, outstanding, dead }) => ({ acknowledged, outstanding, dead }));
  const delivered = view.topicByName('t')?.delivered;
  await view.close();
  return { delivered, groups };
};

test('the last group that is done deletes the message; the body stays for the others until then [G1]', async () => {
  const story = await Story.open(['a', 'b']);
  const position = await story.scheduleOne(0);
  const ofA = await story.leaseOne(1);
  expect(await story.ack(1, ofA)).toEqual(['ok']);
  expect(await story.hasMessage(position)).toBe(true);
  const ofB = await story.leaseOne(2);
  await story.nack(2, ofB, 50);
  expect(await story.hasMessage(position)).toBe(true);
  await story.pass(50);
  expect(await story.ack(2, await story.leaseOne(2))).toEqual(['ok']);
  expect(await story.hasMessage(position)).toBe(false);
  expect(await counts(story)).toEqual({
    delivered: 1,
    groups: [
      { acknowledged: 1, outstanding: 0, dead: 0 },
      { acknowledged: 1, outstanding: 0, dead: 0 },
    ],
  });
  expect(await story.check()).toEqual([]);
});

test('a group whose cursor has not come by keeps the message', async () => {
  const story = await Story.open(['a', 'b']);
  const position = await story.scheduleOne(0);
  await story.ack(1, await story.leaseOne(1));
  expect(await story.hasMessage(position)).toBe(true);
  expect(await story.leaseOne(2)).toMatchObject({ position, attempt: 1 });
});

test('a group that started after the message does not keep it [V1]', async () => {
  const story = await Story.open(['a']);
  const position = await story.scheduleOne(0);
  await story.createGroup('late', { kind: 'now' });
  await story.ack(1, await story.leaseOne(1));
  expect(await story.hasMessage(position)).toBe(false);
  expect(await story.lease(2)).toEqual([]);
  expect(await story.check()).toEqual([]);
});

test('acknowledging what is settled is ok, and changes nothing', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1);
  expect(await story.ack(1, lease, lease)).toEqual(['ok', 'ok']);
  expect(await story.ack(1, lease)).toEqual(['ok']);
  expect(await counts(story)).toMatchObject({ delivered: 1, groups: [{ acknowledged: 1 }] });
});

test('a late ack is taken as long as nobody released the lease', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1, 100);
  await story.pass(1_000);
  expect(await story.ack(1, lease)).toEqual(['ok']);
});

test('a receipt that is no longer current is refused, and of a message that was never handed out not found', async () => {
  const story = await Story.open(['g']);
  const [, waiting] = await story.schedule(0, 500);
  if (waiting === undefined) throw new Error('not scheduled');
  const old = await story.leaseOne(1);
  await story.nack(1, old);
  expect(await story.ack(1, old)).toEqual(['receiptNotCurrent']);
  const current = await story.leaseOne(1);
  expect(await story.ack(1, old, { ...current, position: waiting }, current)).toEqual([
    'receiptNotCurrent',
    'notFound',
    'ok',
  ]);
  expect(await story.check()).toEqual([]);
});

test('a dead letter is not settled: its receipt is refused', async () => {
  const story = await Story.open([]);
  await story.createGroup('g', { kind: 'earliest' }, { maxAttempts: 1 });
  await story.schedule(0);
  const lease = await story.leaseOne(1);
  await story.nack(1, lease);
  expect(await story.ack(1, lease)).toEqual(['receiptNotCurrent']);
});

test('more than 1,024 receipts at once are refused', async () => {
  const story = await Story.open(['g']);
  const many = Array.from({ length: 1_025 }, (_, token) => ({ position: { fireAtMs: 1, seq: 1 }, token }));
  expect(await story.ack(1, ...many)).toEqual(['tooManyRows']);
});

test('topics and groups that there are not', async () => {
  const story = await Story.open(['g']);
  expect(await story.node.apply({ kind: 'ack', topic: 9, group: 1, leases: [] })).toEqual({
    kind: 'refused',
    code: 'topicNotFound',
  });
  expect(await story.node.apply({ kind: 'ack', topic: 1, group: 9, leases: [] })).toEqual({
    kind: 'refused',
    code: 'groupNotFound',
  });
});
