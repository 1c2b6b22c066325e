import type { Skew } from '@holdfast/scheduler';
import { expect, test } from 'vitest';
import { createObserver } from './observer.ts';

function observerInTest() {
  const lines: string[] = [];
  const world = { term: 1, leader: undefined as string | undefined, skewed: [] as Skew[], behindMs: 0 };
  const say = (fields: Readonly<Record<string, unknown>>) => {
    const facts = [fields['event'], fields['leader'], fields['node'], fields['skewMs']];
    lines.push(facts.filter((fact) => typeof fact === 'string' || typeof fact === 'number').join(' '));
  };
  const observer = createObserver({
    status: () => ({ id: 'n1', term: world.term, leader: world.leader }),
    skewed: () => world.skewed,
    clockBehindMs: () => world.behindMs,
    maxClockSkewMs: 500,
    log: { info: say, warn: say, error: say },
  });
  return { observer, world, lines };
}

test('each leader is counted once, also one that comes again in another term', () => {
  const { observer, world, lines } = observerInTest();
  observer.look();
  world.leader = 'n2';
  observer.look();
  observer.look();
  world.leader = undefined;
  observer.look();
  world.leader = 'n2';
  observer.look();
  expect(observer.leaderChanges).toBe(1);
  world.term = 2;
  observer.look();
  expect(observer.leaderChanges).toBe(2);
  expect(lines).toEqual(['raft.follows n2', 'raft.follows n2']);
});

test('the own leadership is counted, and said elsewhere', () => {
  const { observer, world, lines } = observerInTest();
  world.leader = 'n1';
  observer.look();
  expect(observer.leaderChanges).toBe(1);
  expect(lines).toEqual([]);
});

test('a clock beyond its bound is said once, and once more when it agrees again', () => {
  const { observer, world, lines } = observerInTest();
  world.skewed = [{ voter: 'n3', skewMs: -501 }];
  observer.look();
  observer.look();
  expect(lines).toEqual(['clock.skewed n3 -501']);
  world.skewed = [{ voter: 'n2', skewMs: 700 }];
  observer.look();
  observer.look();
  expect(lines).toEqual(['clock.skewed n3 -501', 'clock.skewed n2 700', 'clock.agrees n3']);
});

test('clocks that were all set back are said once, and once more when they have caught up', () => {
  const { observer, world, lines } = observerInTest();
  world.behindMs = 500;
  observer.look();
  expect(lines).toEqual([]);
  world.behindMs = 501;
  observer.look();
  observer.look();
  world.behindMs = 0;
  observer.look();
  observer.look();
  expect(lines).toEqual(['clock.behind', 'clock.caughtUp']);
});
