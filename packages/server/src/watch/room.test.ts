import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import type { DiskSeen, Peer } from '../member.ts';
import { createRoom } from './room.ts';

const full: DiskSeen = { freeBytes: 10, low: true };
const roomy: DiskSeen = { freeBytes: 10_000, low: false };
type Answer = DiskSeen | undefined | 'silence' | 'failure';

/** n1 leads n2 ... */
function roomInTest(size: number) {
  const peers = Array.from({ length: size }, (_, at): Peer => ({ id: `n${at + 1}`, peer: '', api: '' }));
  const clock = new ManualClock();
  const lines: string[] = [];
  const say = (fields: Readonly<Record<string, unknown>>) =>
    lines.push(`${String(fields['event'])} ${String(fields['low'])}`);
  const world = {
    leads: true,
    own: roomy as DiskSeen | undefined,
    answers: new Map<string, Answer>(),
    away: new Set<string>(),
    asked: [] as string[],
    aborted: 0,
  };
  const room = createRoom({
    self: 'n1',
    peers: () => peers,
    own: () => world.own,
    leads: () => world.leads,
    otherVoters: () => new Map(peers.slice(1).map(({ id }) => [id, { recentlyActive: !world.away.has(id) }])),
    ask({ id }, signal) {
      world.asked.push(id);
      const answer = world.answers.get(id);
      if (answer === 'failure') return Promise.reject(new Error('not there'));
      if (answer !== 'silence') return Promise.resolve(answer);
      signal.addEventListener('abort', () => (world.aborted += 1));
      return new Promise(() => undefined);
    },
    clock,
    log: { info: say, warn: say, error: say },
  });
  /** Everybody is asked, and what they say is heard. */
  const ask = async () => {
    clock.advance(2_000);
    room.look();
    await setImmediate();
    room.look();
  };
  return { room, world, clock, lines, ask };
}

test('nothing is refused while nobody has said that a disk is low', async () => {
  const { room, world, ask } = roomInTest(3);
  world.own = undefined;
  world.away.add('n2').add('n3');
  await ask();
  expect(room.acceptsNew).toBe(true);
  expect(() => room.require()).not.toThrow();
  expect(world.asked).toEqual(['n2', 'n3']);
});

test("new messages are refused while the leader's own disk is low, and no longer", () => {
  const { room, world, lines } = roomInTest(3);
  world.own = full;
  expect(() => room.require()).toThrow(expect.objectContaining({ code: 'HF_DISK_LOW', applied: 'no', status: 507 }));
  room.look();
  room.look();
  world.own = roomy;
  room.require();
  room.look();
  expect(room.refused).toBe(1);
  expect(lines).toEqual(['disk.refuses n1', 'disk.accepts ']);
});

test.each([
  { size: 3, low: ['n2'], away: [], accepts: true },
  { size: 3, low: ['n2', 'n3'], away: [], accepts: false },
  { size: 3, low: ['n2'], away: ['n3'], accepts: false },
  { size: 3, low: ['n2'], away: ['n2'], accepts: true },
  { size: 5, low: ['n2', 'n3'], away: [], accepts: true },
  { size: 5, low: ['n2', 'n3'], away: ['n4'], accepts: false },
  { size: 5, low: ['n2', 'n3', 'n4'], away: [], accepts: false },
  { size: 2, low: ['n2'], away: [], accepts: false },
])('of $size, $low are low and $away are away: accepts $accepts', async ({ size, low, away, accepts }) => {
  const { room, world, ask } = roomInTest(size);
  for (const id of low) world.answers.set(id, full);
  await ask();
  for (const id of away) world.away.add(id);
  expect(room.acceptsNew).toBe(accepts);
});

test('the last word of a peer stands until it says another, and goes with the leadership', async () => {
  const { room, world, ask } = roomInTest(3);
  world.answers.set('n2', full).set('n3', full);
  await ask();
  expect(room.disks).toEqual(
    new Map([
      ['n2', full],
      ['n3', full],
      ['n1', roomy],
    ]),
  );
  world.answers.set('n2', 'failure');
  await ask();
  expect(room.acceptsNew).toBe(false);
  world.answers.set('n2', roomy);
  await ask();
  expect(room.acceptsNew).toBe(true);
  world.leads = false;
  room.look();
  expect(room.disks).toEqual(new Map([['n1', roomy]]));
});

test('a peer that never answers is asked once at a time, is let go after its time, and keeps nobody waiting', async () => {
  const { room, world, clock, ask } = roomInTest(3);
  world.answers.set('n2', 'silence').set('n3', full);
  await ask();
  await ask();
  expect(world.aborted).toBe(1);
  expect(world.asked).toEqual(['n2', 'n3', 'n2', 'n3']);
  expect(room.disks.get('n3')).toEqual(full);
  room.stop();
  expect(world.aborted).toBe(2);
  clock.advance(10_000);
  expect(clock.timers).toBe(0);
});
