import { expect, test } from 'vitest';
import { quickConfig, World } from '../../test/world.ts';

test('a lease that ran out is tried again at once, with the next attempt and a new token', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 500 });
  await world.advance(10);
  const second = world.receive(group, { leaseMs: 500 });
  await world.advance(480);
  expect(second.answer).toBeUndefined();
  await world.advance(30);
  expect(second.deliveries).toMatchObject([{ attempt: 2 }]);
  expect(second.deliveries[0]?.token).toBeGreaterThan(first.deliveries[0]?.token ?? Infinity);
});

test('later attempts go by the back-off, and the last one ends as a dead letter', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const config = { ...quickConfig, maxAttempts: 3 };
  const group = await world.createGroup('reminders', 'mailer', config);
  await world.schedule('reminders', [0]);
  const attempts: [attempt: number, atMs: number][] = [];
  for (let ms = 0; ms < 3_000; ms += 10) {
    const waiting = world.receive(group, { leaseMs: 200, waitMs: 0 });
    await world.advance(10);
    for (const { attempt } of waiting.deliveries) attempts.push([attempt, world.clock.monotonicMs()]);
  }
  expect(attempts.map(([attempt]) => attempt)).toEqual([1, 2, 3]);
  const gaps = attempts.slice(1).map(([, atMs], index) => atMs - (attempts[index]?.[1] ?? 0));
  expect(gaps[0]).toBeLessThan(240);
  // 75 ms of back-off: half of 100, and half of the other half.
  expect(gaps[1]).toBeGreaterThan(270);
  const view = world.store.view();
  expect(view.groupByName(group.topic, 'mailer')).toMatchObject({ dead: 1, outstanding: 0 });
  await view.close();
});

test('after a change of leaders no lease is ended inside the grace, also when nobody receives', async () => {
  const world = await World.open({ graceMs: 2_000 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 500 });
  await world.advance(10);
  await world.kill();
  await world.advance(1_000);
  const from = world.proposed.length;
  await world.lead();
  await world.advance(1_980);
  expect(world.proposed.slice(from).map(({ kind }) => kind)).toEqual(['begin']);
  const [delivery] = first.deliveries;
  if (delivery === undefined) throw new Error('nothing was delivered');
  await world.advance(30);
  expect(world.proposed.slice(from).map(({ kind }) => kind)).toEqual(['begin', 'release']);
  expect(world.scheduler?.status().leases).toBe(0);
});

test('an acknowledgement inside the grace counts: nothing is delivered again', async () => {
  const world = await World.open({ graceMs: 2_000 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 500 });
  await world.advance(600);
  await world.kill();
  await world.lead();
  const second = world.receive(group, { waitMs: 5_000 });
  await world.advance(1_000);
  const [delivery] = first.deliveries;
  if (delivery === undefined) throw new Error('nothing was delivered');
  await world.ack(delivery);
  await world.advance(5_000);
  expect(second.deliveries).toEqual([]);
});

test('a leased message is not delivered again because the leader changed', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0, 10]);
  const first = world.receive(group, { leaseMs: 60_000 });
  await world.advance(5);
  await world.kill();
  await world.lead();
  const second = world.receive(group, { max: 10, leaseMs: 60_000 });
  const third = world.receive(group, { max: 10, waitMs: 20_000 });
  await world.advance(30_000);
  const seqs = [first, second, third].flatMap(({ deliveries }) => deliveries.map(({ position }) => position.seq));
  expect(seqs).toHaveLength(2);
  expect(new Set(seqs).size).toBe(2);
});

test('a release that is lost or refused is proposed again, not in a hot loop', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.receive(group, { leaseMs: 100 });
  await world.advance(10);
  let bad = 4;
  world.fateOf = ({ kind }) =>
    kind === 'release' && bad-- > 0 ? (bad % 2 === 0 ? 'refuse' : 'loseAndForget') : 'append';
  const again = world.receive(group, { leaseMs: 100 });
  await world.advance(500);
  expect(again.deliveries).toMatchObject([{ attempt: 2 }]);
  expect(world.proposed.filter(({ kind }) => kind === 'release').length).toBeLessThanOrEqual(6);
});

test('what was extended ends at its new time', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 200 });
  await world.advance(100);
  const leases = first.deliveries.map(({ position, token }) => ({ position, token }));
  await world.apply<'extend'>({ kind: 'extend', ...group, leases, leaseMs: 1_000 });
  const again = world.receive(group);
  await world.advance(990);
  expect(again.answer).toBeUndefined();
  await world.advance(30);
  expect(again.deliveries).toHaveLength(1);
});

test('leaders that change faster than a grace put a release off to ten graces at most', async () => {
  const world = await World.open({ graceMs: 300 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 100 });
  await world.advance(10);
  expect(first.deliveries).toHaveLength(1);
  let waitedMs = 10;
  for (let again = 0; again === 0 && waitedMs < 6_000; waitedMs += 201) {
    await world.kill();
    await world.lead();
    const waiting = world.receive(group);
    await world.advance(200);
    again = waiting.deliveries.length;
  }
  expect(waitedMs).toBeGreaterThan(3_000);
  expect(waitedMs).toBeLessThan(3_600);
});
