import { expect, test } from 'vitest';
import { receiveId } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import { type LeaseCommand, origin, type Position } from '../index.ts';

const receives = [
  { receiveId: receiveId(1), leaseMs: 1_000 },
  { receiveId: receiveId(2), leaseMs: 2_000 },
];
const command = (change: Partial<LeaseCommand>): LeaseCommand => ({
  kind: 'lease',
  topic,
  group: 1,
  cursor: undefined,
  receives,
  lane: [],
  retries: [],
  ...change,
});
const nowOf = (story: Story): Position => ({ fireAtMs: story.node.store.clockMs, seq: story.node.store.seq });

test('one command serves several receives, each row with a token, a time and a receive id of its own', async () => {
  const story = await Story.open(['g']);
  const [a, b] = await story.schedule(0, 0);
  if (a === undefined || b === undefined) throw new Error('not scheduled');
  const to = nowOf(story);
  const lane = [
    { position: a, receive: 1 },
    { position: b, receive: 0 },
  ];
  expect(await story.node.apply(command({ cursor: { from: origin, to }, lane }))).toEqual({
    kind: 'leased',
    leases: [
      { position: a, receive: 1, token: 3, attempt: 1, untilMs: 1_002_000 },
      { position: b, receive: 0, token: 4, attempt: 1, untilMs: 1_001_000 },
    ],
  });
  const view = story.node.store.view();
  expect(view.hold(topic, 1, a)).toMatchObject({ state: 'leased', token: 3, attempt: 1, untilMs: 1_002_000 });
  expect(Buffer.from(view.hold(topic, 1, a)?.receiveId ?? []).equals(receiveId(2))).toBe(true);
  expect(view.groupByName(topic, 'g')).toMatchObject({ cursor: to, outstanding: 2 });
  await view.close();
  expect(story.node.changes.slice(-3).map(({ kind }) => kind)).toEqual(['leased', 'leased', 'cursor']);
  expect(await story.check()).toEqual([]);
});

test('the cursor moves only from where it stands, never back, and never past (clock, seq) [H1, P8]', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0, 500);
  const now = nowOf(story);
  const move = (from: Position, to: Position) => story.node.apply(command({ cursor: { from, to } }));
  const moved = { kind: 'refused', code: 'cursorMoved' };
  expect(await move(origin, { ...now, seq: now.seq + 1 })).toEqual(moved);
  expect(await move(origin, { fireAtMs: now.fireAtMs + 1, seq: 0 })).toEqual(moved);
  expect(await move({ fireAtMs: 1, seq: 0 }, now)).toEqual(moved);
  expect(await story.lease(1)).toHaveLength(1);
  expect(await move(now, origin)).toEqual(moved);
  expect(await move(origin, now)).toEqual(moved);
  expect(await story.check()).toEqual([]);
});

test('a refused lease leaves nothing, not even its retries', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  await story.nack(1, await story.leaseOne(1));
  const seq = story.node.store.seq;
  const retries = [{ position, retryAtMs: 1_000_000, retrySeq: seq, receive: 0 }];
  expect(await story.node.apply(command({ cursor: { from: origin, to: origin }, retries }))).toEqual({
    kind: 'refused',
    code: 'cursorMoved',
  });
  expect(story.node.store.seq).toBe(seq);
  expect(await story.leaseOne(1)).toMatchObject({ position, attempt: 2 });
});

test('rows of the lane outside (from, to], that are gone, or named twice are left out [V3]', async () => {
  const story = await Story.open(['g']);
  const [first, gone, last] = await story.schedule(0, 0, 500);
  if (first === undefined || gone === undefined || last === undefined) throw new Error('not scheduled');
  await story.cancel(gone);
  await story.pass(1_000);
  const to = { fireAtMs: 1_000_000, seq: 2 };
  const lane = [first, first, gone, last].map((position) => ({ position, receive: 0 }));
  const verdict = await story.node.apply(command({ cursor: { from: origin, to }, lane }));
  expect(verdict).toMatchObject({ kind: 'leased', leases: [{ position: first }] });
  expect(verdict).toHaveProperty('leases.length', 1);
  expect(await story.node.apply(command({ lane }))).toEqual({ kind: 'leased', leases: [] });
  expect(await story.check()).toEqual([]);
});

test('a retry is leased only as it stands, and when it is due', async () => {
  const story = await Story.open(['g']);
  const position = await story.scheduleOne(0);
  await story.nack(1, await story.leaseOne(1), 100);
  const view = story.node.store.view();
  const [retry] = await view.retries(topic, 1, { retryAtMs: 0, retrySeq: 0 }, 10);
  await view.close();
  if (retry === undefined) throw new Error('no retry');
  expect(retry).toMatchObject({ position, retryAtMs: 1_000_100 });
  const ask = (change: Partial<typeof retry>) =>
    story.node.apply(command({ retries: [{ ...retry, ...change, receive: 0 }] }));
  const none = { kind: 'leased', leases: [] };
  expect(await ask({})).toEqual(none);
  await story.pass(100);
  expect(await ask({ retryAtMs: retry.retryAtMs - 1 })).toEqual(none);
  expect(await ask({ retrySeq: retry.retrySeq - 1 })).toEqual(none);
  expect(await ask({ position: { ...position, seq: 99 } })).toEqual(none);
  expect(await ask({})).toMatchObject({ leases: [{ position, attempt: 2 }] });
  expect(await ask({})).toEqual(none);
  expect(await story.check()).toEqual([]);
});

test('tokens rise with every lease of a message', async () => {
  const story = await Story.open(['g']);
  await story.schedule(0);
  const first = await story.leaseOne(1);
  await story.nack(1, first);
  const second = await story.leaseOne(1);
  expect(second.token).toBeGreaterThan(first.token);
});

test('rows too many are refused', async () => {
  const story = await Story.open(['g']);
  const lane = Array.from({ length: 257 }, (_, seq) => ({ position: { fireAtMs: 1, seq }, receive: 0 }));
  expect(await story.node.apply(command({ cursor: { from: origin, to: origin }, lane }))).toEqual({
    kind: 'refused',
    code: 'tooManyRows',
  });
});

test('two leases in flight: the second goes on from the first, and fails without it', async () => {
  const story = await Story.open(['g']);
  const [a, b] = await story.schedule(0, 0);
  if (a === undefined || b === undefined) throw new Error('not scheduled');
  const first = command({ cursor: { from: origin, to: a }, lane: [{ position: a, receive: 0 }] });
  const second = command({ cursor: { from: a, to: b }, lane: [{ position: b, receive: 0 }] });
  expect(await story.node.entry([second])).toEqual([{ kind: 'refused', code: 'cursorMoved' }]);
  expect(await story.node.entry([first, second])).toMatchObject([
    { leases: [{ position: a }] },
    { leases: [{ position: b }] },
  ]);
  expect(await story.check()).toEqual([]);
});
