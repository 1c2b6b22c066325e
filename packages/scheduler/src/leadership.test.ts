import { expect, test } from 'vitest';
import { World } from '../test/world.ts';

test('a message is delivered when it is due, and not a millisecond before', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const [position] = await world.schedule('reminders', [500]);
  const waiting = world.receive(group);
  const dueInMs = (position?.fireAtMs ?? 0) - world.stampMs();
  await world.advance(dueInMs - 1);
  expect(waiting.answer).toBeUndefined();
  await world.advance(10);
  expect(waiting.deliveries).toMatchObject([{ ...group, position, attempt: 1, body: Buffer.from('body') }]);
  expect(world.proposed.map(({ kind }) => kind)).toEqual(['begin', 'tick', 'lease']);
  expect(world.lateness).toEqual([expect.toSatisfy((latenessMs: number) => latenessMs >= 0 && latenessMs < 10)]);
  expect(world.faults).toEqual([]);
});

test('timers that fire a millisecond early change nothing', async () => {
  const world = await World.open();
  world.clock.earlyMs = 0.9;
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [700]);
  const waiting = world.receive(group);
  await world.advance(699);
  expect(waiting.answer).toBeUndefined();
  await world.advance(10);
  expect(waiting.deliveries).toHaveLength(1);
});

test('a clock that jumps ahead is noticed within the longest sleep', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [3_600_000]);
  const waiting = world.receive(group);
  await world.advance(100);
  world.jumpMs = 3_600_000;
  await world.advance(1_010);
  expect(waiting.deliveries).toHaveLength(1);
});

test('when the stamp stands still nothing comes early, and the timer does not spin', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [50]);
  const waiting = world.receive(group);
  await world.advance(40);
  world.stoppedAtMs = world.stampMs();
  const before = world.clock.fired;
  await world.advance(1_000);
  expect(waiting.answer).toBeUndefined();
  expect(world.clock.fired - before).toBeLessThan(70);
  world.stoppedAtMs = undefined;
  await world.advance(30);
  expect(waiting.deliveries).toHaveLength(1);
});

test('`begin` comes first and is tried until it is applied; receives wait for it', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  await world.kill();
  let refusals = 3;
  world.fateOf = () => (refusals-- > 0 ? 'refuse' : 'append');
  const from = world.proposed.length;
  await world.lead();
  const waiting = world.receive(group);
  await world.advance(200);
  expect(waiting.deliveries).toHaveLength(1);
  const kinds = world.proposed.slice(from).map(({ kind }) => kind);
  expect(kinds).toEqual(['begin', 'begin', 'begin', 'begin', 'lease']);
  expect(world.scheduler?.status().refusals.get('beginLost')).toBe(3);
});

test('whoever waits is sent to another node when the leadership ends, before `begin` and after', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const waiting = world.receive(group);
  await world.settle();
  await world.kill();
  expect(waiting.answer).toEqual({ kind: 'tryAnotherNode' });

  world.fateOf = () => 'refuse';
  const scheduler = await world.lead();
  const early = world.receive(group);
  await world.settle();
  expect(early.answer).toBeUndefined();
  scheduler.stop();
  await world.settle();
  expect(early.answer).toEqual({ kind: 'tryAnotherNode' });
  const late = world.receive(group);
  await world.settle();
  expect(late.answer).toEqual({ kind: 'tryAnotherNode' });
  const proposals = world.proposed.length;
  await world.advance(5_000);
  expect(world.proposed.length).toBe(proposals);
  expect(world.clock.timers).toBe(0);
});

test('a group that does not exist is refused, and so is one that is deleted while somebody waits', async () => {
  const world = await World.open();
  await world.lead();
  const unknown = world.receive({ topic: 7, group: 1 });
  await world.settle();
  expect(unknown.answer).toEqual({ kind: 'refused', code: 'groupNotFound' });
  const group = await world.createGroup('reminders', 'mailer');
  const waiting = world.receive(group);
  await world.settle();
  await world.apply<'deleteGroup'>({ kind: 'deleteGroup', ...group });
  expect(waiting.answer).toEqual({ kind: 'refused', code: 'groupNotFound' });
});

test('what waits costs a window and no more, and an idle group gives that back', async () => {
  const world = await World.open({ bounds: { windowPositions: 64, idleGroupMs: 5_000 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const waiting = world.receive(group, { waitMs: 30_000 });
  const many = Array.from({ length: 5_000 }, (_, index) => 60_000 + ((index * 7_919) % 100_000));
  await world.schedule('reminders', many);
  await world.advance(100);
  expect(world.scheduler?.status().windowPositions).toBeGreaterThan(0);
  expect(world.scheduler?.status().windowPositions).toBeLessThanOrEqual(64);
  await world.advance(30_000);
  expect(waiting.answer).toEqual({ kind: 'deliveries', deliveries: [] });
  await world.advance(11_000);
  expect(world.scheduler?.status().windowPositions).toBe(0);
});
