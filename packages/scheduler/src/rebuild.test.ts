import { expect, test } from 'vitest';
import { World } from '../test/world.ts';

test('what was acknowledged while the holds were being read is not brought back by the slice that still shows it', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0, 0]);
  const receives = [world.receive(group, { leaseMs: 60_000 }), world.receive(group, { leaseMs: 60_000 })];
  await world.advance(10);
  await world.kill();
  world.scanMs = 100;
  await world.lead();
  const [acked] = receives.flatMap(({ deliveries }) => deliveries);
  if (acked === undefined) throw new Error('nothing was delivered');
  await world.ack(acked);
  await world.advance(200);
  expect(world.scheduler?.status()).toMatchObject({ leases: 1 });
  expect(world.scheduler?.status().rebuildMs).toBeGreaterThanOrEqual(100);
});

test('a group that is deleted while its holds are being read leaves no lease behind', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.receive(group, { leaseMs: 200 });
  await world.advance(10);
  await world.kill();
  world.scanMs = 100;
  await world.lead();
  await world.apply<'deleteGroup'>({ kind: 'deleteGroup', ...group });
  await world.advance(10_000);
  expect(world.scheduler?.status()).toMatchObject({ leases: 0, oldestLeaseMs: 0 });
  expect(world.proposed.filter(({ kind }) => kind === 'release')).toEqual([]);
});

test('deliveries go first: a group is served while the holds of others are still being read', async () => {
  const world = await World.open();
  await world.lead();
  const busy = await world.createGroup('busy', 'all');
  const calm = await world.createGroup('calm', 'all');
  await world.schedule('busy', [0]);
  world.receive(busy, { leaseMs: 60_000 });
  await world.advance(10);
  await world.schedule('calm', [0]);
  await world.kill();
  world.scanMs = 20;
  await world.lead();
  const waiting = world.receive(calm);
  await world.advance(30);
  expect(waiting.deliveries).toHaveLength(1);
});
