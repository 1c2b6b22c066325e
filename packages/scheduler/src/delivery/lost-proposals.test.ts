// Proposals that come to nothing beside the lease that they were made for: they cost a pause, and nobody else anything.
import { expect, test } from 'vitest';
import { quickConfig, type Waiting, World } from '../../test/world.ts';

/** Two groups: a lease of the first is to be extended or given back, the second waits for a message due in 5 s. */
async function twoGroups(): Promise<{ world: World; group: { topic: number; group: number }; waiting: Waiting }> {
  const world = await World.open({ bounds: { maxSleepMs: 60_000 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const other = await world.createGroup('bills', 'mailer');
  await world.schedule('reminders', [0]);
  await world.schedule('bills', [5_000]);
  const waiting = world.receive(other);
  await world.advance(10);
  world.commitMs = 50;
  return { world, group, waiting };
}

test('an extension that is lost does not leave others waiting for the clock that it was to move', async () => {
  const { world, group, waiting } = await twoGroups();
  world.fateOf = ({ kind }) => (kind === 'extend' ? 'loseLate' : 'append');
  const first = world.receive(group, { leaseMs: 10_000 });
  await world.advance(100);
  expect(first.deliveries).toHaveLength(1);
  world.jumpMs = 6_000;
  const repeated = world.receive(group, { ...first.request, repeated: true });
  await world.advance(200);
  expect(repeated.answer).toEqual({ kind: 'tryAnotherNode' });
  expect(waiting.deliveries).toHaveLength(1);
});

test('what is given back, and lost, does not leave others waiting for the clock that it was to move', async () => {
  const { world, group, waiting } = await twoGroups();
  world.fateOf = ({ kind }) => (kind === 'giveBack' ? 'loseLate' : 'append');
  const gone = world.receive(group, { leaseMs: 30_000 });
  await world.advance(10);
  gone.walkAway();
  await world.advance(30);
  // In doubt nobody looks, so that the lease is given back before the tick is proposed that the jump asks for.
  world.isDoubtful = true;
  world.jumpMs = 6_000;
  await world.advance(30);
  world.isDoubtful = false;
  await world.advance(200);
  expect(world.scheduler?.status().refusals.get('giveBackLost')).toBe(1);
  expect(waiting.deliveries).toHaveLength(1);
});

test('what is given back, and refused, is given back again while its lease runs, and no longer', async () => {
  const { world, group } = await twoGroups();
  let refusals = 3;
  world.fateOf = ({ kind }) => (kind === 'giveBack' && refusals-- > 0 ? 'refuse' : 'append');
  const gone = world.receive(group, { leaseMs: 30_000 });
  await world.advance(10);
  gone.walkAway();
  const next = world.receive(group, { leaseMs: 30_000 });
  await world.advance(300);
  expect(next.deliveries).toMatchObject([{ attempt: 1 }]);
  expect(world.scheduler?.status().refusals.get('giveBackLost')).toBe(3);
});

test('giving back ends with the lease, and with the leadership', async () => {
  for (const end of ['lease', 'leadership'] as const) {
    const { world, group } = await twoGroups();
    world.fateOf = ({ kind }) => (kind === 'giveBack' ? 'refuse' : 'append');
    const gone = world.receive(group, { leaseMs: end === 'lease' ? 300 : 30_000 });
    await world.advance(10);
    gone.walkAway();
    await world.advance(290);
    if (end === 'leadership') world.scheduler?.stop();
    else await world.advance(600);
    const tried = world.proposed.filter(({ kind }) => kind === 'giveBack').length;
    expect(tried).toBeGreaterThan(3);
    await world.advance(5_000);
    expect(world.proposed.filter(({ kind }) => kind === 'giveBack')).toHaveLength(tried);
    expect(world.faults).toEqual([]);
  }
});

test('a lease that ran out before it could be given back ends all the same, also when both are refused at first', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0]);
  world.commitMs = 150;
  const gone = world.receive(group, { leaseMs: 100 });
  await world.advance(10);
  gone.walkAway();
  world.fateOf = () => 'refuse';
  await world.advance(300);
  expect(world.scheduler?.status().refusals).toEqual(
    new Map([
      ['givenBack', 1],
      ['giveBackLost', 1],
      ['releaseLost', expect.any(Number)],
    ]),
  );
  world.fateOf = () => 'append';
  world.commitMs = 1;
  const next = world.receive(group, { leaseMs: 1_000 });
  await world.advance(5_000);
  expect(next.deliveries).toHaveLength(1);
});

test('a lease that ran out before its answer could leave is given back: no attempt, and no dead letter that nobody had', async () => {
  const world = await World.open({ graceMs: 0 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer', { ...quickConfig, maxAttempts: 1 });
  await world.schedule('reminders', [0]);
  world.commitMs = 150;
  const first = world.receive(group, { leaseMs: 100 });
  await world.advance(200);
  expect(first.answer).toEqual({ kind: 'tryAnotherNode' });
  world.commitMs = 1;
  await world.advance(300);
  const again = world.receive(group, { ...first.request, repeated: true });
  await world.advance(10);
  expect(again.deliveries).toMatchObject([{ attempt: 1 }]);
});

test('a receive whose lease may still come to be is given no other one: only its repeat finds it', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [0, 0]);
  world.fateOf = ({ kind }) => (kind === 'lease' ? 'appendAndForget' : 'append');
  const first = world.receive(group, { max: 1, leaseMs: 30_000 });
  await world.advance(10);
  world.fateOf = () => 'append';
  await world.advance(500);
  expect(first.answer).toEqual({ kind: 'tryAnotherNode' });
  expect(world.proposed.filter(({ kind }) => kind === 'lease')).toHaveLength(1);
});
