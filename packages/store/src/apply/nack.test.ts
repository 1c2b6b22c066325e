import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';
import type { Hold, Position } from '../index.ts';

async function holdOf(story: Story, position: Position): Promise<Hold | undefined> {
  const view = story.node.store.view();
  const hold = view.hold(topic, 1, position);
  await view.close();
  return hold;
}

test('a nack puts the message back at its time, with a fresh seq, and its body stays where it is', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  const lease = await story.leaseOne(1);
  expect(await story.nack(1, lease, 250, 'no luck')).toEqual(['ok']);
  const retry = { retryAtMs: 1_000_250, retrySeq: lease.token + 1 };
  expect(await holdOf(story, position)).toMatchObject({ state: 'retry', attempt: 1, reason: 'no luck', ...retry });
  expect(story.node.changes.at(-1)).toEqual({ kind: 'retry', topic, group: 1, position, ...retry });
  expect(await story.lease(1)).toEqual([]);
  await story.pass(250);
  expect(await story.leaseOne(1)).toMatchObject({ position, attempt: 2 });
  expect(await story.check()).toEqual([]);
});

test('used-up attempts make a dead letter, with its reason', async () => {
  const story = await Story.open([]);
  await story.createGroup('g', { kind: 'earliest' }, { maxAttempts: 2 });
  const position = await story.scheduleOne(0);
  await story.nack(1, await story.leaseOne(1));
  await story.nack(1, await story.leaseOne(1), 0, 'still broken');
  expect(await holdOf(story, position)).toMatchObject({
    state: 'dead',
    attempt: 2,
    reason: 'still broken',
    retryAtMs: 0,
    retrySeq: 0,
  });
  expect(story.node.changes.at(-1)).toEqual({ kind: 'settled', topic, group: 1, position, how: 'dead' });
  expect(await story.lease(1)).toEqual([]);
  const view = story.node.store.view();
  expect(view.groupByName(topic, 'g')).toMatchObject({ dead: 1, outstanding: 0 });
  await view.close();
  // A dead letter is kept, with its message, until somebody purges it.
  expect(await story.hasMessage(position)).toBe(true);
  expect(await story.check()).toEqual([]);
});

test('repeating a nack whose answer was lost is ok, and counts no attempt', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  const lease = await story.leaseOne(1);
  await story.nack(1, lease, 100);
  const before = await holdOf(story, position);
  expect(await story.nack(1, lease, 900)).toEqual(['ok']);
  expect(await holdOf(story, position)).toEqual(before);
});

test('a nack of another lease, of a settled message and of one never handed out changes nothing', async () => {
  const story = await Story.open(['g']);
  const [, waiting] = await story.schedule(0, 900);
  if (waiting === undefined) throw new Error('not scheduled');
  const old = await story.leaseOne(1);
  await story.nack(1, old);
  const lease = await story.leaseOne(1);
  expect(await story.nack(1, old)).toEqual(['receiptNotCurrent']);
  expect(await story.nack(1, { ...lease, position: waiting })).toEqual(['notFound']);
  await story.ack(1, lease);
  expect(await story.nack(1, lease)).toEqual(['receiptNotCurrent']);
  expect(await story.check()).toEqual([]);
});
