import type { NodeId } from '@holdfast/raft';
import type { Skew } from '@holdfast/scheduler';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { createSkewGuard, restMs, skewLastsMs } from './skew-guard.ts';

const follower = (match: number, recentlyActive = true, voter = true) => ({
  voter,
  state: 'replicate' as const,
  match,
  applied: match,
  inflight: 0,
  recentlyActive,
});

/** n1 leads, and its clock is a second ahead. */
function guardInTest() {
  const clock = new ManualClock();
  const said: unknown[] = [];
  const world = {
    role: 'leader' as 'leader' | 'follower',
    followers: new Map([
      ['n2', follower(90)],
      ['n3', follower(100)],
    ]),
    skewed: [{ voter: 'n1', skewMs: 1_000 }] as Skew[],
    known: new Map<NodeId, number>([
      ['n1', 1_000],
      ['n2', 0],
      ['n3', -5],
    ]),
    canHandOver: true,
    to: [] as NodeId[],
  };
  const say = (fields: unknown) => said.push(fields);
  const guard = createSkewGuard({
    self: 'n1',
    status: () => world,
    skewed: () => world.skewed,
    skewMs: () => world.known,
    handOver(to) {
      world.to.push(to);
      return world.canHandOver;
    },
    clock,
    log: { info: say, warn: say, error: say },
  });
  const lookFor = (ms: number) => {
    guard.look();
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      guard.look();
    }
  };
  return { guard, world, lookFor, said };
}

type World = ReturnType<typeof guardInTest>['world'];

test('a leader whose own clock stays wrong hands over, once, to the one with a right clock that has most', () => {
  const { guard, world, lookFor, said } = guardInTest();
  lookFor(skewLastsMs - 100);
  expect(world.to).toEqual([]);
  lookFor(100);
  expect(world.to).toEqual(['n3']);
  expect(said).toEqual([{ event: 'clock.handsOver', to: 'n3', skewMs: 1_000 }]);
  expect(guard.handOvers).toBe(1);
});

const changes: readonly [what: string, change: (world: World) => void][] = [
  [
    'its clock agrees again in between',
    (world) => {
      world.skewed = [];
    },
  ],
  [
    'it does not lead',
    (world) => {
      world.role = 'follower';
    },
  ],
  [
    'only another clock is wrong',
    (world) => {
      world.skewed = [{ voter: 'n2', skewMs: -900 }];
    },
  ],
];

test.each(changes)('nothing is handed over when %s', (_, change) => {
  const { world, lookFor } = guardInTest();
  lookFor(skewLastsMs - 100);
  const before = { ...world };
  change(world);
  lookFor(100);
  Object.assign(world, before);
  lookFor(skewLastsMs - 100);
  expect(world.to).toEqual([]);
});

test('never to a wrong clock, to an unknown one, to a node that does not answer, or to one without a vote', () => {
  const { world, lookFor } = guardInTest();
  world.skewed = [...world.skewed, { voter: 'n3', skewMs: -900 }];
  lookFor(skewLastsMs);
  expect(world.to).toEqual(['n2']);
  for (const change of [
    (other: typeof world) => other.followers.set('n2', follower(90, false)),
    (other: typeof world) => other.followers.set('n2', follower(90, true, false)),
    (other: typeof world) => other.known.delete('n2'),
  ]) {
    const other = guardInTest();
    other.world.skewed = world.skewed;
    change(other.world);
    other.lookFor(3 * skewLastsMs);
    expect(other.world.to).toEqual([]);
  }
});

test('what was refused is tried again after a while; what was begun is not, so that two wrong clocks play no ping-pong', () => {
  const { guard, world, lookFor } = guardInTest();
  world.canHandOver = false;
  lookFor(2 * skewLastsMs);
  expect([world.to.length, guard.handOvers]).toEqual([2, 0]);
  world.canHandOver = true;
  lookFor(skewLastsMs);
  expect([world.to.length, guard.handOvers]).toEqual([3, 1]);
  // It is elected again at once, and its clock is as wrong as it was.
  lookFor(restMs - skewLastsMs);
  expect(guard.handOvers).toBe(1);
  lookFor(2 * skewLastsMs);
  expect(guard.handOvers).toBe(2);
});
