import type { Skew } from '@holdfast/scheduler';
import { expect, test } from 'vitest';
import { createObserver } from './observer.ts';

const none = { sending: undefined, sentBytes: 0, receiving: undefined, receivedBytes: 0, installed: 0, sweeping: 0 };

function observerInTest() {
  const lines: string[] = [];
  const world = {
    term: 1,
    leader: undefined as string | undefined,
    skewed: [] as Skew[],
    behindMs: 0,
    writingMs: 0,
    installed: 0,
  };
  const say = (fields: Readonly<Record<string, unknown>>) => {
    const facts = [fields['event'], fields['leader'], fields['node'], fields['skewMs']];
    lines.push(facts.filter((fact) => typeof fact === 'string' || typeof fact === 'number').join(' '));
  };
  const observer = createObserver({
    status: () => ({
      id: 'n1',
      term: world.term,
      leader: world.leader,
      snapshots: { ...none, installed: world.installed },
    }),
    skewed: () => world.skewed,
    clockBehindMs: () => world.behindMs,
    maxClockSkewMs: 500,
    writingMs: () => world.writingMs,
    log: { info: say, warn: say, error: say },
  });
  const look = (wasPaused = false) => observer.look({ wasPaused });
  return { observer, world, lines, look };
}

test('each leader is counted once, also one that comes again in another term', () => {
  const { observer, world, lines, look } = observerInTest();
  look();
  world.leader = 'n2';
  look();
  look();
  world.leader = undefined;
  look();
  world.leader = 'n2';
  look();
  expect(observer.leaderChanges).toBe(1);
  world.term = 2;
  look();
  expect(observer.leaderChanges).toBe(2);
  expect(lines).toEqual(['raft.follows n2', 'raft.follows n2']);
});

test('the own leadership is counted, and said elsewhere', () => {
  const { observer, world, lines, look } = observerInTest();
  world.leader = 'n1';
  look();
  expect(observer.leaderChanges).toBe(1);
  expect(lines).toEqual([]);
});

test('a clock beyond its bound is said once, and once more when it agrees again', () => {
  const { world, lines, look } = observerInTest();
  world.skewed = [{ voter: 'n3', skewMs: -501 }];
  look();
  look();
  expect(lines).toEqual(['clock.skewed n3 -501']);
  world.skewed = [{ voter: 'n2', skewMs: 700 }];
  look();
  look();
  expect(lines).toEqual(['clock.skewed n3 -501', 'clock.skewed n2 700', 'clock.agrees n3']);
});

test('clocks that were all set back are said once, and once more when they have caught up', () => {
  const { world, lines, look } = observerInTest();
  world.behindMs = 500;
  look();
  expect(lines).toEqual([]);
  world.behindMs = 501;
  look();
  look();
  world.behindMs = 0;
  look();
  look();
  expect(lines).toEqual(['clock.behind', 'clock.caughtUp']);
});

test('a write that does not end is said once, and its end; a process that stood still does not accuse its disk', () => {
  const { world, lines, look } = observerInTest();
  world.writingMs = 2_500;
  look();
  world.writingMs = 9_000;
  look(true);
  expect(lines).toEqual([]);
  look();
  look();
  world.writingMs = 0;
  look();
  look();
  expect(lines).toEqual(['disk.stalled', 'disk.answers']);
});

test('a state that was sent by the leader is said once for each', () => {
  const { world, lines, look } = observerInTest();
  look();
  world.installed = 1;
  look();
  look();
  expect(lines).toEqual(['raft.snapshot']);
});
