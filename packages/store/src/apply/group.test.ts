import { expect, test } from 'vitest';
import { Harness } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import { type CommandOf, type GroupStart, origin } from '../index.ts';

const config = { maxAttempts: 3, backoffFirstMs: 10, backoffMaxMs: 100 };
const create = (group: string, start: GroupStart = { kind: 'earliest' }): CommandOf<'createGroup'> => ({
  kind: 'createGroup',
  topic: 't',
  group,
  start,
  config,
  replaceConfig: false,
});

test('a start is the origin, now, or a time in the past, and never above (clock, seq)', async () => {
  const story = await Story.open([]);
  await story.schedule(0, 500);
  const starts: readonly GroupStart[] = [
    { kind: 'earliest' },
    { kind: 'now' },
    { kind: 'time', timeMs: 999_000 },
    { kind: 'time', timeMs: 1_000_000 },
    { kind: 'time', timeMs: 1_000_001 },
  ];
  for (const [index, start] of starts.entries()) await story.node.apply(create(`g${index}`, start));
  const view = story.node.store.view();
  expect(view.groups(topic).map(({ start }) => start)).toEqual([
    origin,
    { fireAtMs: 1_000_000, seq: 2 },
    { fireAtMs: 999_000, seq: 0 },
    { fireAtMs: 1_000_000, seq: 0 },
    { fireAtMs: 1_000_000, seq: 2 },
  ]);
  expect(
    view.groups(topic).every(({ start, cursor }) => start.seq === cursor.seq && start.fireAtMs === cursor.fireAtMs),
  ).toBe(true);
  await view.close();
});

test('a group that is there already is left as it is, unless its configuration is to be replaced', async () => {
  const story = await Story.open([]);
  expect(await story.node.apply(create('g'))).toEqual({ kind: 'group', topic: 1, group: 1, created: true });
  const other = { ...create('g', { kind: 'now' }), config: { ...config, maxAttempts: 9 } };
  expect(await story.node.apply(other)).toEqual({ kind: 'group', topic: 1, group: 1, created: false });
  const attempts = async (): Promise<number | undefined> => {
    const view = story.node.store.view();
    const group = view.groupByName(topic, 'g');
    await view.close();
    expect(group?.start).toEqual(origin);
    return group?.config.maxAttempts;
  };
  expect(await attempts()).toBe(3);
  await story.node.apply({ ...other, replaceConfig: true });
  expect(await attempts()).toBe(9);
});

test('a group too many is refused, with those counted that are being deleted', async () => {
  const node = await Harness.open({ limits: { groupsPerTopic: 2 } });
  await node.entry([create('a'), create('b')]);
  expect(await node.apply(create('c'))).toEqual({ kind: 'refused', code: 'groupLimit' });
  await node.apply({ kind: 'deleteGroup', topic, group: 1 });
  expect(await node.apply(create('c'))).toEqual({ kind: 'refused', code: 'groupLimit' });
  await node.apply({ kind: 'collect', steps: [{ kind: 'group', topic, group: 1, holds: [], last: true }] });
  expect(await node.apply(create('c'))).toMatchObject({ created: true, group: 3 });
});

test('a topic too many is refused to a group as well', async () => {
  const node = await Harness.open({ limits: { topics: 1 } });
  await node.apply(create('a'));
  expect(await node.apply({ ...create('a'), topic: 'u' })).toEqual({ kind: 'refused', code: 'topicLimit' });
});

test('a group that is being deleted takes no command, and its name is free at once', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const lease = await story.leaseOne(1);
  expect(await story.node.apply({ kind: 'deleteGroup', topic, group: 1 })).toEqual({ kind: 'deleting' });
  expect(await story.node.apply({ kind: 'deleteGroup', topic, group: 1 })).toEqual({ kind: 'deleting' });
  expect(await story.ack(1, lease)).toEqual(['groupNotFound']);
  await expect(story.lease(1)).rejects.toThrow('groupNotFound');
  expect(await story.createGroup('g')).toBe(2);
  expect(await story.leaseOne(2)).toMatchObject({ position: lease.position, attempt: 1 });
  expect(await story.check()).toEqual([]);
});

test('what there is not is not deleted', async () => {
  const story = await Story.open(['g']);
  expect(await story.node.apply({ kind: 'deleteGroup', topic: 2, group: 1 })).toEqual({
    kind: 'refused',
    code: 'topicNotFound',
  });
  expect(await story.node.apply({ kind: 'deleteGroup', topic: 1, group: 2 })).toEqual({
    kind: 'refused',
    code: 'groupNotFound',
  });
});

test('a listener hears of every state of a group', async () => {
  const story = await Story.open(['g']);
  await story.node.apply({ kind: 'deleteGroup', topic, group: 1 });
  await story.node.apply({ kind: 'collect', steps: [{ kind: 'group', topic, group: 1, holds: [], last: true }] });
  expect(story.node.changes).toEqual([
    { kind: 'group', topic: 1, group: 1, state: 'active' },
    { kind: 'group', topic: 1, group: 1, state: 'deleting' },
    { kind: 'group', topic: 1, group: 1, state: 'deleted' },
  ]);
});
