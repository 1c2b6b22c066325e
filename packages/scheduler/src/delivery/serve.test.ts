import type { Position } from '@holdfast/store';
import { expect, test } from 'vitest';
import { times, type Waiting, World } from '../../test/world.ts';

const delivered = (waiting: readonly Waiting[]): number[] =>
  waiting.flatMap(({ deliveries }) => deliveries.map(({ position }) => position.seq));
const seqs = (positions: readonly Position[]): number[] => positions.map(({ seq }) => seq);

test('a burst of 1,000 due at one instant reaches ten receives, each message once and in order', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const positions = await world.schedule('reminders', times(1_000, 300));
  const waiting = Array.from({ length: 10 }, () => world.receive(group, { max: 100 }));
  await world.advance(290);
  expect(delivered(waiting)).toEqual([]);
  await world.advance(50);
  while (delivered(waiting).length < 1_000) {
    waiting.push(world.receive(group, { max: 100 }));
    await world.advance(5);
  }
  expect(delivered(waiting)).toEqual(seqs(positions));
  const leases = world.proposed.filter(({ kind }) => kind === 'lease');
  expect(leases.length).toBeLessThanOrEqual(6);
  expect(world.faults).toEqual([]);
});

test('one command serves all receives that wait', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(40, 100));
  const waiting = Array.from({ length: 40 }, () => world.receive(group));
  await world.advance(120);
  expect(new Set(delivered(waiting)).size).toBe(40);
  expect(world.proposed.filter(({ kind }) => kind === 'lease')).toHaveLength(1);
});

test('two commands of a group are in flight at most, the second from where the first goes to', async () => {
  const world = await World.open({ bounds: { rowsPerCommand: 4 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(40, 0));
  world.commitMs = 50;
  const waiting = Array.from({ length: 40 }, () => world.receive(group));
  const inFlight: number[] = [];
  for (let ms = 0; ms < 400; ms += 5) {
    await world.advance(5);
    inFlight.push(world.scheduler?.status().proposalsInFlight ?? 0);
  }
  expect(new Set(delivered(waiting)).size).toBe(40);
  expect(Math.max(...inFlight)).toBe(2);
  expect(world.scheduler?.status().refusals.get('cursorMoved')).toBeUndefined();
});

test('no tick is proposed while something in flight will move the clock as far', async () => {
  const world = await World.open();
  await world.lead();
  const busy = await world.createGroup('busy', 'all');
  const calm = await world.createGroup('calm', 'all');
  await world.schedule('busy', [0]);
  await world.schedule('calm', [10]);
  await world.advance(20);
  world.commitMs = 50;
  const waiting = [world.receive(busy), world.receive(calm)];
  await world.advance(200);
  expect(delivered(waiting)).toHaveLength(2);
  expect(world.proposed.map(({ kind }) => kind)).toEqual(['begin', 'lease', 'lease']);
});

test('two groups of a topic get every message, each at its own pace', async () => {
  const world = await World.open();
  await world.lead();
  const one = await world.createGroup('reminders', 'one');
  const two = await world.createGroup('reminders', 'two');
  const positions = await world.schedule('reminders', [10, 20, 30]);
  const first = world.receive(one, { max: 10 });
  await world.advance(15);
  const rest = world.receive(one, { max: 10 });
  await world.advance(50);
  // What is due by the clock comes first; the lease's own entry moves the clock on.
  const all = [world.receive(two, { max: 10 }), world.receive(two, { max: 10 })];
  await world.advance(10);
  const last = world.receive(one, { max: 10 });
  await world.advance(10);
  expect(delivered([first, rest, last])).toEqual(seqs(positions));
  expect(delivered(all)).toEqual(seqs(positions));
});

test('a burst in one topic does not hold up another: its message goes with the first turns', async () => {
  const world = await World.open({ bounds: { leaseCommands: 2, rowsPerCommand: 16, windowPositions: 4_096 } });
  await world.lead();
  const burst = await world.createGroup('burst', 'all');
  const calm = await world.createGroup('calm', 'all');
  await world.schedule('burst', times(2_000, 100));
  await world.schedule('calm', [100]);
  world.commitMs = 5;
  const many = Array.from({ length: 100 }, () => world.receive(burst, { max: 20 }));
  const other = world.receive(calm);
  await world.advance(96 + 40);
  expect(other.deliveries).toHaveLength(1);
  expect(delivered(many).length).toBeLessThan(200);
  await world.advance(2_000);
  expect(new Set(delivered(many)).size).toBeGreaterThan(1_500);
});

test('a slice is counted in bytes, too: large bodies go few at a time', async () => {
  const world = await World.open({ bounds: { sliceBytes: 40_000 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(300, 0), 'x'.repeat(10_000));
  const rows: number[] = [];
  for (let round = 0; round < 40; round++) {
    const waiting = world.receive(group, { max: 100 });
    await world.advance(10);
    rows.push(waiting.deliveries.length);
  }
  expect(rows[0]).toBeLessThanOrEqual(40);
  expect(rows.at(-1)).toBeLessThanOrEqual(6);
});

test('an answer has a bound in bytes: what is over is given back at once, and that is no attempt', async () => {
  const world = await World.open({ bounds: { answerBytes: 25_000 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(4, 0), 'x'.repeat(10_000));
  const first = world.receive(group, { max: 4 });
  await world.advance(10);
  expect(first.deliveries).toHaveLength(2);
  const second = world.receive(group, { max: 4 });
  await world.advance(10);
  expect(second.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
});

test('no more rows are read than the answer has room for, and one', async () => {
  const world = await World.open({ bounds: { answerBytes: 25_000 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', times(100, 0), 'x'.repeat(10_000));
  let rows = 0;
  const view = world.store.view.bind(world.store);
  world.store.view = () => {
    const opened = view();
    const message = opened.message.bind(opened);
    return Object.assign(opened, {
      message: (...of: Parameters<typeof message>) => {
        rows++;
        return message(...of);
      },
    });
  };
  const waiting = world.receive(group, { max: 100 });
  await world.advance(10);
  expect(waiting.deliveries).toHaveLength(2);
  expect(rows).toBe(3);
});

test('a cursor that somebody else moved is read anew, and nothing is lost or doubled', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const positions = await world.schedule('reminders', [0, 0, 0]);
  const idle = world.receive(group, { waitMs: 1_000, max: 1 });
  await world.advance(10);
  expect(idle.deliveries).toHaveLength(1);
  // As a deposed leader's command would: the second message, behind the scheduler's back.
  const [first, second] = positions;
  if (first === undefined || second === undefined) throw new Error('no positions');
  const receives = [{ receiveId: world.newReceiveId(), leaseMs: 1_000 }];
  const lane = [{ position: second, receive: 0 }];
  const cursor = { from: first, to: second };
  await world.apply<'lease'>({ kind: 'lease', ...group, cursor, receives, lane, retries: [] });
  const waiting = world.receive(group, { max: 5 });
  await world.advance(50);
  expect(delivered([waiting])).toEqual([positions[2]?.seq]);
  expect(world.scheduler?.status().refusals.get('cursorMoved')).toBe(1);
});

test.each(['refuse', 'loseAndForget', 'appendAndForget'] as const)(
  'a lease proposal that ends badly (%s) costs a pause, not a message',
  async (fate) => {
    const world = await World.open({ graceMs: 0 });
    await world.lead();
    const group = await world.createGroup('reminders', 'mailer');
    const positions = await world.schedule('reminders', [0, 0]);
    let bad = 3;
    world.fateOf = ({ kind }) => (kind === 'lease' && bad-- > 0 ? fate : 'append');
    const got: number[] = [];
    let waiting = world.receive(group, { max: 2, leaseMs: 400 });
    for (let ms = 0; ms < 1_500 && got.length < 2; ms += 10) {
      await world.advance(10);
      got.push(...delivered([waiting]));
      // As a client does: the same receive again, marked.
      if (waiting.answer?.kind === 'tryAnotherNode')
        waiting = world.receive(group, { ...waiting.request, repeated: true });
    }
    expect(got.sort((a, b) => a - b)).toEqual(seqs(positions));
    const proposals = world.proposed.length;
    expect(proposals).toBeLessThan(30);
  },
);

test('a receive that would not wait is answered at once when nothing is due, and served when something is', async () => {
  const world = await World.open();
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [500]);
  const empty = world.receive(group, { waitMs: 0 });
  await world.settle();
  expect(empty.answer).toEqual({ kind: 'deliveries', deliveries: [] });
  await world.advance(500);
  const full = world.receive(group, { waitMs: 0 });
  await world.advance(5);
  expect(full.deliveries).toHaveLength(1);
});

test('a waiter whose deadline is nearer than a commit gets no new lease', async () => {
  const world = await World.open({ commitBudgetMs: 20 });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  await world.schedule('reminders', [100]);
  const short = world.receive(group, { waitMs: 110 });
  await world.advance(112);
  expect(short.answer).toEqual({ kind: 'deliveries', deliveries: [] });
  expect(world.proposed.some(({ kind }) => kind === 'lease')).toBe(false);
});

test('bounds of waiting receives and of leases are refusals with a count', async () => {
  const world = await World.open({ bounds: { waitingReceivesPerGroup: 3, leasesPerGroup: 2 } });
  await world.lead();
  const group = await world.createGroup('reminders', 'mailer');
  const waiting = Array.from({ length: 4 }, () => world.receive(group));
  await world.settle();
  expect(waiting.map(({ answer }) => answer?.kind)).toEqual([undefined, undefined, undefined, 'refused']);
  await world.schedule('reminders', [0, 0, 0]);
  await world.advance(10);
  expect(delivered(waiting)).toHaveLength(2);
  const refused = world.receive(group);
  await world.settle();
  expect(refused.answer).toEqual({ kind: 'refused', code: 'tooManyLeases' });
  const [first] = waiting.flatMap(({ deliveries }) => deliveries);
  if (first === undefined) throw new Error('nothing was delivered');
  await world.ack(first);
  await world.advance(10);
  expect(delivered(waiting)).toHaveLength(3);
  const refusals = world.scheduler?.status().refusals;
  expect(refusals?.get('tooManyWaiting')).toBe(1);
  expect(refusals?.get('tooManyLeases')).toBeGreaterThan(0);
});

test('a group that is deleted frees its leases for a group that waits for room', async () => {
  const world = await World.open({ bounds: { leases: 2 } });
  await world.lead();
  const greedy = await world.createGroup('busy', 'all');
  const calm = await world.createGroup('calm', 'all');
  await world.schedule('busy', [0, 0]);
  const waiting = world.receive(calm);
  const taken = world.receive(greedy, { max: 2, leaseMs: 600_000 });
  await world.advance(10);
  expect(taken.deliveries).toHaveLength(2);
  await world.schedule('calm', [0]);
  await world.advance(1_000);
  expect(waiting.answer).toBeUndefined();
  await world.apply<'deleteGroup'>({ kind: 'deleteGroup', ...greedy });
  await world.advance(10);
  expect(waiting.deliveries).toHaveLength(1);
});
