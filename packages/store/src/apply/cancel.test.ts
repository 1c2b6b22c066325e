import { expect, test } from 'vitest';
import { Story, topic } from '../../test/story.ts';
import type { CommandOf, Position } from '../index.ts';

/** Brings a message into a state, in groups a (1) and b (2), and says where it stands. */
type Situation = (story: Story) => Promise<Position>;

async function leaseBoth(story: Story): Promise<Position> {
  const position = await story.scheduleOne(0);
  await story.lease(1);
  await story.lease(2);
  return position;
}

/** The verdict table: what a message has been through, and what a cancel says then, the first time and every other. */
const table: readonly {
  readonly name: string;
  readonly situation: Situation;
  readonly first: object;
}[] = [
  {
    name: 'no group was handed it, not due',
    situation: (story) => story.scheduleOne(500),
    first: { kind: 'cancelled' },
  },
  {
    name: 'no group was handed it, due',
    situation: (story) => story.scheduleOne(0),
    first: { kind: 'cancelled' },
  },
  {
    name: 'one group has it again after a nack, the other not yet',
    async situation(story) {
      const position = await story.scheduleOne(0);
      await story.nack(1, await story.leaseOne(1), 50);
      return position;
    },
    first: { kind: 'stopped', attempts: 1 },
  },
  {
    name: 'one group is done, the other was not reached',
    async situation(story) {
      const position = await story.scheduleOne(0);
      await story.ack(1, await story.leaseOne(1));
      return position;
    },
    first: { kind: 'stopped', attempts: 0 },
  },
  {
    name: 'a dead letter of one group, the other is done',
    async situation(story) {
      const position = await story.scheduleOne(0);
      for (let attempt = 0; attempt < 3; attempt += 1) await story.nack(1, await story.leaseOne(1));
      await story.ack(2, await story.leaseOne(2));
      return position;
    },
    first: { kind: 'stopped', attempts: 3 },
  },
  {
    name: 'a lease runs',
    situation: leaseBoth,
    first: { kind: 'leased', leasedUntilMs: 1_010_000 },
  },
  {
    name: 'one group is done, in the other a lease runs',
    async situation(story) {
      const position = await story.scheduleOne(0);
      await story.ack(1, await story.leaseOne(1));
      await story.lease(2, 7_000);
      return position;
    },
    first: { kind: 'leased', leasedUntilMs: 1_007_000 },
  },
  {
    name: 'a lease ran out and nobody released it: its ack would still be taken',
    async situation(story) {
      const position = await leaseBoth(story);
      await story.pass(60_000);
      return position;
    },
    first: { kind: 'leased', leasedUntilMs: 1_010_000 },
  },
  {
    name: 'all groups acknowledged it',
    async situation(story) {
      const position = await story.scheduleOne(0);
      await story.ack(1, await story.leaseOne(1));
      await story.ack(2, await story.leaseOne(2));
      return position;
    },
    first: { kind: 'delivered' },
  },
  {
    name: 'the groups that are left acknowledged it, and it was not swept yet',
    async situation(story) {
      const position = await story.scheduleOne(0);
      await story.ack(1, await story.leaseOne(1));
      await story.node.apply({ kind: 'deleteGroup', topic, group: 2 });
      return position;
    },
    first: { kind: 'delivered' },
  },
  {
    name: 'it ended before',
    async situation(story) {
      const position = await story.scheduleOne(500);
      await story.cancel(position);
      await story.pass(1_000);
      return position;
    },
    first: { kind: 'cancelled' },
  },
  {
    name: 'its seq was never issued',
    situation: async () => ({ fireAtMs: 1_000_000, seq: 77 }),
    first: { kind: 'notFound' },
  },
  {
    name: 'its seq was issued for something else, and its time has not come',
    async situation(story) {
      await leaseBoth(story);
      return { fireAtMs: 2_000_000, seq: 2 };
    },
    first: { kind: 'notFound' },
  },
];

test.each(table)('$name', async ({ situation, first }) => {
  const story = await Story.open(['a', 'b']);
  const position = await situation(story);
  expect(await story.cancel(position)).toEqual(first);
  expect(await story.cancel(position)).toEqual(first);
  expect(await story.check()).toEqual([]);
});

test.each(table.filter(({ first }) => 'kind' in first && (first.kind === 'cancelled' || first.kind === 'stopped')))(
  'after $first.kind nobody gets it any more: $name',
  async ({ situation }) => {
    const story = await Story.open(['a', 'b']);
    const position = await situation(story);
    await story.cancel(position);
    await story.pass(100_000);
    expect([await story.lease(1), await story.lease(2)]).toEqual([[], []]);
    expect(await story.hasMessage(position)).toBe(false);
    const view = story.node.store.view();
    expect(view.hold(topic, 1, position)).toBeUndefined();
    expect(await view.retries(topic, 1, { retryAtMs: 0, retrySeq: 0 }, 10)).toEqual([]);
    await view.close();
  },
);

test('a group that started after the message was not handed it: the verdict is cancelled, and not stopped [V1]', async () => {
  const story = await Story.open([]);
  const position = await story.scheduleOne(0);
  await story.createGroup('late', { kind: 'now' });
  await story.lease(1);
  expect(await story.cancel(position)).toEqual({ kind: 'cancelled' });
  expect(await story.check()).toEqual([]);
});

test('how it ended outlives a crash, and is told from any view [H5]', async () => {
  const story = await Story.open(['g'], { writing: 'later' });
  const position = await story.scheduleOne(500);
  await story.cancel(position);
  story.node.turn();
  await story.node.durable();
  await story.node.crash();
  expect(await story.cancel(position)).toEqual({ kind: 'cancelled' });
  const view = story.node.store.view();
  expect(view.ended(topic, position)).toEqual({ kind: 'cancelled', endedAtMs: 1_000_000 });
  await view.close();
});

test('the holds that go are told to the listener', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  await story.nack(1, await story.leaseOne(1), 50);
  await story.cancel(position);
  expect(story.node.changes.at(-1)).toEqual({ kind: 'settled', topic, group: 1, position, how: 'ended' });
});

test('a repeated request gets the first verdict, whatever became of the message since', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  const lease = await story.leaseOne(1, 700);
  const idempotency = { key: 'k', requestHash: Buffer.alloc(16, 1), keepMs: 60_000 };
  const command: CommandOf<'cancel'> = { kind: 'cancel', topic, position, idempotency };
  const leased = { kind: 'leased', leasedUntilMs: 1_000_700 };
  expect(await story.node.apply(command)).toEqual({ ...leased, repeated: false });
  await story.nack(1, lease);
  expect(await story.node.apply(command)).toEqual({ ...leased, repeated: true });
  const other = { ...command, idempotency: { ...idempotency, requestHash: Buffer.alloc(16, 2) } };
  expect(await story.node.apply(other)).toEqual({ kind: 'refused', code: 'idempotencyKeyReused' });
  expect(await story.node.apply({ ...command, topic: 9 })).toEqual({ kind: 'refused', code: 'topicNotFound' });
  expect(await story.node.apply({ ...command, idempotency: { ...idempotency, key: 'l' } })).toEqual({
    kind: 'stopped',
    attempts: 1,
    repeated: false,
  });
});
