import { expect, test } from 'vitest';
import { bytes } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import type { CollectStep, GroupInfo, Position, TopicInfo } from '../index.ts';

const collect = async (story: Story, ...steps: readonly CollectStep[]): Promise<number | string> => {
  const verdict = await story.node.apply({ kind: 'collect', steps });
  return verdict.kind === 'refused' ? verdict.code : verdict.rows;
};
const messages = (...positions: readonly Position[]): CollectStep => ({ kind: 'messages', topic, positions });
const ended = (position: Position, endedAtMs: number): CollectStep => ({
  kind: 'ended',
  rows: [{ topic, position, endedAtMs }],
});
const holdsOf = (last: boolean, ...holds: readonly Position[]): CollectStep => ({
  kind: 'group',
  topic,
  group: 1,
  holds,
  last,
});
async function infoOf(story: Story): Promise<{ topic: TopicInfo | undefined; groups: readonly GroupInfo[] }> {
  const view = story.node.store.view();
  const info = { topic: view.topicByName('t'), groups: view.groups(topic) };
  await view.close();
  return info;
}

test('what a deleted group leaves to nobody is swept, and counts as delivered to those who had it [V2]', async () => {
  const story = await Story.open(['a', 'b']);
  const position = await story.scheduleOne(0);
  await story.ack(2, await story.leaseOne(2));
  await story.node.apply({ kind: 'deleteGroup', topic, group: 1 });
  expect(await story.hasMessage(position)).toBe(true);
  expect(await collect(story, messages(position))).toBe(1);
  expect(await story.hasMessage(position)).toBe(false);
  expect((await infoOf(story)).topic).toMatchObject({ delivered: 1, skipped: 0 });
  expect(await story.cancel(position)).toEqual({ kind: 'delivered' });
  expect(await story.check()).toEqual([]);
});

test('what every group started after is swept, and was skipped', async () => {
  const story = await Story.open([]);
  const position = await story.scheduleOne(0);
  await story.createGroup('late', { kind: 'now' });
  expect(await collect(story, messages(position))).toBe(1);
  expect((await infoOf(story)).topic).toMatchObject({ delivered: 0, skipped: 1 });
  expect(await story.cancel(position)).toEqual({ kind: 'skipped' });
  expect(await story.check()).toEqual([]);
});

test('a message that a group waits for or holds is not swept, nor that of a topic without groups', async () => {
  const story = await Story.open([]);
  const position = await story.scheduleOne(0);
  expect(await collect(story, messages(position))).toBe(0);
  await story.createGroup('g');
  expect(await collect(story, messages(position))).toBe(0);
  const lease = await story.leaseOne(1);
  expect(await collect(story, messages(position))).toBe(0);
  await story.nack(1, lease, 100);
  expect(await collect(story, messages(position, { fireAtMs: 5, seq: 5 }))).toBe(0);
  expect(await collect(story, { kind: 'messages', topic: 9, positions: [position] })).toBe(0);
  expect(await story.hasMessage(position)).toBe(true);
});

test('a deleted group goes in steps: its holds, their retries, and last the group', async () => {
  const story = await Story.open(['g']);
  const [a, b] = await story.schedule(0, 0);
  if (a === undefined || b === undefined) throw new Error('not scheduled');
  const [first] = await story.lease(1);
  if (first === undefined) throw new Error('no lease');
  await story.nack(1, first, 100);
  expect(await collect(story, holdsOf(true, a, b))).toBe(0);
  await story.node.apply({ kind: 'deleteGroup', topic, group: 1 });
  expect(await collect(story, holdsOf(true, a))).toBe(1);
  expect((await infoOf(story)).groups).toMatchObject([{ state: 'deleting', outstanding: 1 }]);
  expect(await collect(story, holdsOf(true, a, b))).toBe(2);
  expect((await infoOf(story)).groups).toEqual([]);
  expect(await collect(story, holdsOf(true, a, b))).toBe(0);
  expect(await story.check()).toEqual([]);
  await story.node.crash();
  expect((await infoOf(story)).groups).toEqual([]);
});

test('an answer goes when its time has passed, and only the one that was seen', async () => {
  const story = await Story.open([]);
  const idempotency = { key: 'k', requestHash: Buffer.alloc(16), keepMs: 1_000 };
  const at = { kind: 'delay', delayMs: 0 } as const;
  const schedule = {
    kind: 'schedule',
    topic: 't',
    messages: [{ at, headers: bytes(''), body: bytes('') }],
    idempotency,
  } as const;
  await story.node.apply(schedule);
  const answers = (untilMs: number): CollectStep => ({ kind: 'answers', topic, keys: [{ key: 'k', untilMs }] });
  await story.pass(999);
  expect(await collect(story, answers(1_001_000))).toBe(0);
  await story.pass(1);
  const view = story.node.store.view();
  expect(await view.dueAnswers(1_001_000, 10)).toEqual([{ topic, key: 'k', untilMs: 1_001_000 }]);
  await view.close();
  // The key is used again before it is collected.
  await story.node.apply(schedule);
  expect(await collect(story, answers(1_001_000))).toBe(0);
  await story.pass(1_000);
  expect(await collect(story, answers(1_001_000), answers(1_002_000))).toBe(1);
  const after = story.node.store.view();
  expect(await after.dueAnswers(2_000_000, 10)).toEqual([]);
  await after.close();
  expect(await story.check()).toEqual([]);
});

test('below the horizon a missing row says forgotten, and an end after that is written down', async () => {
  const story = await Story.open(['g'], { limits: { endedKeepMs: 1_000 } });
  const [low, cancelled, high] = await story.schedule(0, 500, 500);
  if (low === undefined || cancelled === undefined || high === undefined) throw new Error('not scheduled');
  const gone = await story.scheduleOne(0);
  const leases = await story.lease(1);
  await story.ack(1, ...leases.filter(({ position }) => position.seq === gone.seq));
  await story.cancel(cancelled);
  expect(await story.cancel(gone)).toEqual({ kind: 'delivered' });

  await story.pass(999);
  expect(await collect(story, ended(cancelled, 1_000_000))).toBe(0);
  await story.pass(1);
  const view = story.node.store.view();
  expect(await view.dueEnded(1_000_000, 10)).toEqual([{ topic, position: cancelled, endedAtMs: 1_000_000 }]);
  await view.close();
  expect(await collect(story, ended(cancelled, 999_999), ended(cancelled, 1_000_000))).toBe(1);
  expect(await story.cancel(cancelled)).toEqual({ kind: 'forgotten' });
  expect(await story.cancel(gone)).toEqual({ kind: 'delivered' });

  // Low stands below the horizon and is acknowledged only now: its missing row alone would say nothing.
  await story.ack(1, ...leases.filter(({ position }) => position.seq === low.seq));
  expect(await story.cancel(low)).toEqual({ kind: 'delivered' });
  const [last] = await story.lease(1);
  if (last === undefined) throw new Error('no lease');
  await story.ack(1, last);
  expect(await story.cancel(high)).toEqual({ kind: 'delivered' });
  expect(await story.check()).toEqual([]);
});

test('rows too many are refused, and so are steps without end', async () => {
  const story = await Story.open(['g']);
  const position = { fireAtMs: 1, seq: 1 };
  expect(await collect(story, messages(...Array.from({ length: 1_024 }, () => position)))).toBe('tooManyRows');
  expect(await collect(story, ...Array.from({ length: 1_025 }, () => messages()))).toBe('tooManyRows');
});
