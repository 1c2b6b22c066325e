import { expect, test } from 'vitest';
import { times, World } from '../../test/world.ts';

test('a repeated receive gets the same leases from the next leader: same tokens, no new attempt', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0, 0, 0]);
  const first = world.receive(group, { max: 2, leaseMs: 10_000 });
  await world.advance(10);
  expect(first.deliveries).toHaveLength(2);
  await world.kill();
  await world.lead();
  const again = world.receive(group, { ...first.request, repeated: true });
  await world.advance(10);
  expect(again.answer).toEqual(first.answer);
  const other = world.receive(group, { max: 5 });
  await world.advance(10);
  expect(other.deliveries).toHaveLength(1);
});

test('the answer that died with its leader between apply and handover is found by the repeat', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.commitMs = 50;
  const first = world.receive(group, { leaseMs: 10_000 });
  await world.advance(20);
  await world.kill();
  expect(first.answer).toEqual({ kind: 'tryAnotherNode' });
  await world.lead();
  const again = world.receive(group, { ...first.request, repeated: true });
  await world.advance(10);
  expect(again.deliveries).toMatchObject([{ attempt: 1 }]);
  expect(world.faults).toEqual([]);
});

test('a repeat with less than half of its lease left is extended first, and keeps its token', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 1_000 });
  await world.advance(600);
  const again = world.receive(group, { ...first.request, repeated: true });
  await world.advance(10);
  const [before] = first.deliveries;
  const [after] = again.deliveries;
  expect(after?.token).toBe(before?.token);
  expect(after?.attempt).toBe(1);
  expect(after?.untilMs).toBeGreaterThan((before?.untilMs ?? 0) + 500);
});

test('a repeat waits for the holds of its group, however many there are, and is a new receive when it has none', async () => {
  const world = await World.open({ bounds: { holdsPerSlice: 4 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(30, 0));
  const others = Array.from({ length: 25 }, () => world.receive(group, { leaseMs: 30_000 }));
  await world.advance(20);
  const last = others.at(-1);
  if (last === undefined) throw new Error('no receives');
  await world.kill();
  await world.lead();
  const again = world.receive(group, { ...last.request, repeated: true });
  const unheardOf = world.receive(group, { repeated: true, max: 10 });
  await world.advance(20);
  expect(again.answer).toEqual(last.answer);
  expect(unheardOf.deliveries).toHaveLength(5);
  expect(world.scheduler?.status().leases).toBe(30);
  expect(world.scheduler?.status().rebuildMs).toBeLessThan(20);
});

test('a repeat that comes with the leader waits for the holds, also when they are slow to come', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0, 0]);
  const first = world.receive(group, { leaseMs: 10_000 });
  await world.advance(10);
  await world.kill();
  world.scanMs = 100;
  const leading = world.lead();
  const again = world.receive(group, { ...first.request, repeated: true });
  await leading;
  await world.advance(150);
  expect(first.deliveries).toHaveLength(1);
  expect(again.answer).toEqual(first.answer);
});

test('of two waiters with one id the later stays', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const earlier = world.receive(group);
  await world.settle();
  const later = world.receive(group, { ...earlier.request, repeated: true });
  await world.settle();
  expect(earlier.answer).toEqual({ kind: 'tryAnotherNode' });
  await world.schedule('reminders', [0]);
  await world.advance(10);
  expect(later.deliveries).toHaveLength(1);
  expect(world.scheduler?.status().waitingReceives).toBe(0);
});

test('the later of two inherits the lease that is on its way', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.commitMs = 50;
  const earlier = world.receive(group);
  await world.advance(10);
  earlier.walkAway();
  const later = world.receive(group, { ...earlier.request, repeated: true });
  await world.advance(60);
  expect(later.deliveries).toMatchObject([{ attempt: 1 }]);
  expect(world.proposed.some(({ kind }) => kind === 'giveBack')).toBe(false);
});

test('whoever walks away while its lease is on its way has it given back at once, and its id answers nobody', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.commitMs = 50;
  const gone = world.receive(group, { leaseMs: 30_000 });
  await world.advance(10);
  gone.walkAway();
  const next = world.receive(group);
  await world.advance(200);
  expect(next.deliveries).toMatchObject([{ attempt: 1 }]);
  const again = world.receive(group, { ...gone.request, repeated: true });
  await world.settle();
  expect(again.answer).toEqual({ kind: 'deliveries', deliveries: [] });
});

test('a repeat is not answered with what may still be given back', async () => {
  const world = await World.open({ bounds: { answerBytes: 25_000 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(3, 0), 'x'.repeat(10_000));
  world.fateOf = ({ kind }) => (kind === 'giveBack' ? 'loseAndForget' : 'append');
  const first = world.receive(group, { max: 3, leaseMs: 30_000 });
  await world.advance(10);
  expect(first.deliveries).toHaveLength(2);
  for (const delivery of first.deliveries) await world.ack(delivery);
  expect(world.scheduler?.status().leases).toBe(1);
  const again = world.receive(group, { ...first.request, repeated: true });
  await world.advance(100);
  expect(again.answer).toBeUndefined();
});

test('whoever walks away while it waits leaves nothing behind', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const gone = world.receive(group);
  await world.settle();
  gone.walkAway();
  await world.schedule('reminders', [0]);
  await world.advance(20);
  expect(gone.answer).toEqual({ kind: 'deliveries', deliveries: [] });
  expect(world.scheduler?.status()).toMatchObject({ waitingReceives: 0, leases: 0 });
});

test('in doubt nothing is handed over; after it, what has not run out is', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0, 0]);
  world.commitMs = 20;
  const long = world.receive(group, { leaseMs: 10_000 });
  const short = world.receive(group, { leaseMs: 100 });
  await world.advance(10);
  world.isDoubtful = true;
  await world.advance(500);
  expect([long.answer, short.answer]).toEqual([undefined, undefined]);
  world.isDoubtful = false;
  await world.advance(20);
  expect(long.deliveries).toHaveLength(1);
  expect(short.answer).toEqual({ kind: 'tryAnotherNode' });
});

test('doubt that does not end holds nobody for ever: the leadership ends, and everybody is sent elsewhere', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.isDoubtful = true;
  const waiting = world.receive(group);
  await world.advance(500);
  expect(waiting.answer).toBeUndefined();
  await world.kill();
  expect(waiting.answer).toEqual({ kind: 'tryAnotherNode' });
});

test('a receive that would not wait, with the id of one that waits, is answered at once', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const earlier = world.receive(group);
  await world.advance(100);
  const later = world.receive(group, { ...earlier.request, waitMs: 0 });
  await world.settle();
  expect(earlier.answer).toEqual({ kind: 'tryAnotherNode' });
  expect(later.answer).toEqual({ kind: 'deliveries', deliveries: [] });
});

test('whoever walks away from a repeat takes nothing from who may have the first answer', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  const first = world.receive(group, { leaseMs: 1_000 });
  await world.advance(600);
  expect(first.deliveries).toHaveLength(1);
  // It is extended first, and while that is on its way nobody waits any more.
  world.commitMs = 50;
  const again = world.receive(group, { ...first.request, repeated: true });
  await world.advance(10);
  again.walkAway();
  const other = world.receive(group);
  await world.advance(200);
  expect(world.proposed.map(({ kind }) => kind)).not.toContain('giveBack');
  expect(other.answer).toBeUndefined();
});
