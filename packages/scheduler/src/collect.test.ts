import { expect, test } from 'vitest';
import { quickConfig, times, World } from '../test/world.ts';
import type { SchedulerConfig } from './index.ts';

const often = { collectEveryMs: 20, collectPauseMs: 5 };

test('a deleted group goes in bounded steps, and so does what only it still wanted [V2]', async () => {
  const world = await World.open({ ...often, bounds: { collectRows: 8 } });
  await world.lead();
  const done = await world.createGroup('reminders', 'done');
  const behind = await world.createGroup('reminders', 'behind');
  await world.schedule('reminders', times(30, 0));
  await world.schedule('reminders', [10_000]);
  const received = [
    world.receive(done, { max: 30, leaseMs: 60_000 }),
    world.receive(behind, { max: 20, leaseMs: 60_000 }),
  ];
  await world.advance(10);
  for (const delivery of received[0]?.deliveries ?? []) await world.ack(delivery);
  const before = world.store.view();
  expect(before.groups(done.topic).map(({ outstanding }) => outstanding)).toEqual([0, 20]);
  expect(before.topics()[0]?.delivered).toBe(0);
  await before.close();

  await world.apply<'deleteGroup'>({ kind: 'deleteGroup', ...behind });
  await world.advance(400);
  const after = world.store.view();
  expect(after.groups(done.topic).map(({ name }) => name)).toEqual(['done']);
  const far = { fireAtMs: 2 ** 47, seq: 0 };
  expect(await after.lane(done.topic, { fireAtMs: 0, seq: 0 }, far, 100)).toHaveLength(1);
  await after.close();
  expect(world.store.clockMs).toBeGreaterThan(0);
  expect(await world.store.check()).toEqual([]);
  expect(world.faults).toEqual([]);
});

test('what a deletion left under the last leader is found by the next', async () => {
  const world = await World.open({ collectEveryMs: 1_000_000, collectPauseMs: 1_000_000 });
  await world.lead();
  const done = await world.createGroup('reminders', 'done');
  const behind = await world.createGroup('reminders', 'behind');
  await world.schedule('reminders', [0]);
  const received = world.receive(done);
  await world.advance(10);
  for (const delivery of received.deliveries) await world.ack(delivery);
  await world.apply<'deleteGroup'>({ kind: 'deleteGroup', ...behind });
  await world.kill();

  world.config = often;
  await world.lead();
  await world.advance(400);
  const view = world.store.view();
  expect(view.topics()[0]).toMatchObject({ delivered: 1, skipped: 0 });
  expect(view.groups(done.topic)).toHaveLength(1);
  await view.close();
});

/** One message of one group, and all that is asked of it is done: a group that began after it waits for nothing. */
async function withMessageForNobody(config: SchedulerConfig): Promise<World> {
  const world = await World.open(config);
  await world.lead();
  await world.schedule('reminders', [0]);
  return world;
}

/** As any group that is to get what comes from now on. */
async function beginNow(world: World): Promise<void> {
  const group = { topic: 'reminders', group: 'late', start: { kind: 'now' }, config: quickConfig } as const;
  await world.apply<'createGroup'>({ kind: 'createGroup', ...group, replaceConfig: false });
}

async function skippedIn(world: World): Promise<number | undefined> {
  const view = world.store.view();
  const [topic] = view.topics();
  await view.close();
  return topic?.skipped;
}

test.each(['refuse', 'loseAndForget'] as const)(
  'a sweep whose step came to nothing (%s) is made again',
  async (fate) => {
    const world = await withMessageForNobody(often);
    let bad = 2;
    world.fateOf = ({ kind }) => (kind === 'collect' && bad-- > 0 ? fate : 'append');
    await beginNow(world);
    await world.advance(400);
    expect(world.scheduler?.status().refusals.get('collectLost')).toBe(2);
    expect(await skippedIn(world)).toBe(1);
  },
);

test('a sweep that is asked for while another one reads is made by a view that knows why', async () => {
  const world = await withMessageForNobody(often);
  world.scanMs = 100;
  await world.advance(70);
  await beginNow(world);
  await world.advance(2_000);
  expect(await skippedIn(world)).toBe(1);
});

test('a sweep that is asked for while a step is under way comes soon after it, not after the idle pause', async () => {
  const world = await withMessageForNobody({ collectEveryMs: 1_000, collectPauseMs: 5 });
  const at = { kind: 'delay', delayMs: 9_000 } as const;
  const message = { at, headers: new Uint8Array(), body: new Uint8Array(1) };
  const idempotency = { key: 'once', requestHash: new Uint8Array(16), keepMs: 1 };
  await world.apply<'schedule'>({ kind: 'schedule', topic: 'other', messages: [message], idempotency });
  await world.advance(500);
  await world.apply<'tick'>({ kind: 'tick' });
  await world.advance(300);
  // Applied while the step that forgets the answer is on its way.
  world.commitMs = 500;
  await beginNow(world);
  await world.advance(250);
  expect(world.proposed.map(({ kind }) => kind)).toEqual(['begin', 'collect', 'collect']);
  await world.advance(500);
  expect(await skippedIn(world)).toBe(1);
});

test('a cluster clock shorter after 1970 than ended rows are kept is no fault', async () => {
  const world = await World.open({ ...often, endedKeepMs: 2 ** 40 }, { endedKeepMs: 2 ** 40 });
  await world.lead();
  await world.advance(100);
  expect(world.faults).toEqual([]);
});

test('an answer whose time has passed by a jump of the clock alone stays until it is old, too', async () => {
  const world = await World.open(often);
  await world.lead();
  const message = { at: { kind: 'delay', delayMs: 9 }, headers: new Uint8Array(), body: new Uint8Array(1) } as const;
  const idempotency = { key: 'once', requestHash: new Uint8Array(16), keepMs: 1_000 };
  const command = { kind: 'schedule', topic: 'reminders', messages: [message], idempotency } as const;
  await world.apply<'activate'>({ kind: 'activate', version: 2 });
  const first = await world.apply<'schedule'>(command);
  const [kept] = await world.answers();
  if (kept === undefined) throw new Error('no answer was kept');
  world.answersAgedMs = kept.untilMs - 1;
  world.jumpMs = 3_600_000;
  await world.apply<'tick'>({ kind: 'tick' });
  await world.advance(400);
  expect(await world.apply<'schedule'>(command)).toEqual({ ...first, repeated: true });
  world.answersAgedMs = kept.untilMs;
  await world.advance(400);
  expect(await world.answers()).toEqual([]);
});

test('answers and ended rows go when their time has passed, and not before', async () => {
  const world = await World.open({ ...often, endedKeepMs: 2_000 }, { endedKeepMs: 2_000 });
  await world.lead();
  const { topic } = await world.createGroup('reminders', 'mailer');
  const messages = [
    { at: { kind: 'delay', delayMs: 9_000 } as const, headers: new Uint8Array(), body: new Uint8Array(1) },
  ];
  const idempotency = { key: 'once', requestHash: new Uint8Array(16), keepMs: 1_000 };
  const scheduled = await world.apply<'schedule'>({ kind: 'schedule', topic: 'reminders', messages, idempotency });
  const position = scheduled.kind === 'scheduled' ? scheduled.positions[0] : undefined;
  if (position === undefined) throw new Error('not scheduled');
  await world.apply<'cancel'>({ kind: 'cancel', topic, position, idempotency: undefined });

  const counts = async (): Promise<[number, number]> => {
    const view = world.store.view();
    const answers = await view.dueAnswers(2 ** 47, 10);
    const ended = await view.dueEnded(2 ** 47, 10);
    await view.close();
    return [answers.length, ended.length];
  };
  await world.advance(900);
  expect(await counts()).toEqual([1, 1]);
  // The clock is what counts, and nobody but the ticks of others moves it here.
  await world.apply<'tick'>({ kind: 'tick' });
  await world.advance(400);
  await world.apply<'tick'>({ kind: 'tick' });
  await world.advance(300);
  expect(await counts()).toEqual([0, 1]);
  await world.advance(1_000);
  await world.apply<'tick'>({ kind: 'tick' });
  await world.advance(300);
  expect(await counts()).toEqual([0, 0]);
});
