import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';
import type { LeaseRef } from '../index.ts';

const extend = (story: Story, leaseMs: number, ...leases: readonly LeaseRef[]) =>
  story.node.apply({ kind: 'extend', topic, group: 1, leases, leaseMs });

test('an extension counts from the clock, never shortens, and is taken late', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  const { token } = await story.leaseOne(1, 1_000);
  const ask = { position, token };
  expect(await extend(story, 400, ask)).toEqual({ kind: 'extended', answers: [{ answer: 'ok', untilMs: 1_001_000 }] });
  await story.pass(5_000);
  expect(await extend(story, 400, ask)).toEqual({ kind: 'extended', answers: [{ answer: 'ok', untilMs: 1_005_400 }] });
  expect(story.node.changes.at(-1)).toEqual({ kind: 'extended', topic, group: 1, position, token, untilMs: 1_005_400 });
  const view = story.node.store.view();
  expect(view.hold(topic, 1, position)).toMatchObject({ state: 'leased', token, attempt: 1, untilMs: 1_005_400 });
  await view.close();
  expect(await story.check()).toEqual([]);
});

test('a receipt that is not current is not extended', async () => {
  const story = await Story.open(['g']);
  const [, waiting] = await story.schedule(0, 900);
  if (waiting === undefined) throw new Error('not scheduled');
  const lease = await story.leaseOne(1);
  await story.nack(1, lease);
  const refused = { answer: 'receiptNotCurrent', untilMs: 0 };
  expect(await extend(story, 400, lease, { ...lease, position: waiting })).toEqual({
    kind: 'extended',
    answers: [refused, { answer: 'notFound', untilMs: 0 }],
  });
  const again = await story.leaseOne(1);
  await story.ack(1, again);
  expect(await extend(story, 400, again)).toEqual({ kind: 'extended', answers: [refused] });
});
