import { expect, test } from 'vitest';
import type { CoreStatus } from '../core/types.ts';
import { ApplyLag } from './apply-lag.ts';

function status(applied: number, ...followers: readonly number[]): CoreStatus {
  const others = followers.map(
    (at, i) =>
      [
        `f${i}`,
        { voter: true, state: 'replicate', match: at, applied: at, inflight: 0, recentlyActive: true },
      ] as const,
  );
  return {
    id: 'l',
    role: 'leader',
    term: 1,
    leader: 'l',
    commit: 1000,
    applied,
    lastIndex: 1000,
    durableIndex: 1000,
    termStartIndex: 1,
    uncommittedBytes: 0,
    configuration: { voters: [], learners: [] },
    configurationIndex: 0,
    committedConfiguration: undefined,
    isVoter: true,
    transferringTo: undefined,
    waitingReads: 0,
    followers: new Map(others),
  };
}

test('the majority’s applied index counts the leader in', () => {
  const isBehind = (...applied: readonly [number, ...number[]]): boolean => {
    const lag = new ApplyLag(500);
    lag.tick(0, 5);
    return lag.isBehind(500, status(...applied));
  };
  expect(isBehind(5)).toBe(false);
  expect(isBehind(4)).toBe(true);
  expect(isBehind(5, 4)).toBe(true);
  expect(isBehind(5, 4, 5)).toBe(false);
  expect(isBehind(5, 1, 2, 5, 5)).toBe(false);
  expect(isBehind(5, 1, 2, 4, 5)).toBe(true);
});

test('a majority lags when it has not applied what was committed half a second ago', () => {
  const lag = new ApplyLag(500);
  for (let ms = 0; ms <= 1000; ms += 10) lag.tick(ms, ms);
  // At 500 ms index 500 was committed.
  expect(lag.isBehind(1000, status(1000, 499, 499))).toBe(true);
  expect(lag.isBehind(1000, status(499, 1000, 499))).toBe(true);
  expect(lag.isBehind(1000, status(1000, 500, 0))).toBe(false);
  expect(lag.isBehind(1000, status(0, 500, 500))).toBe(false);
});

test('nobody lags who has applied everything, however long ago that was', () => {
  const lag = new ApplyLag(500);
  lag.tick(0, 7);
  lag.tick(10_000, 7);
  expect(lag.isBehind(10_000, status(7, 7, 0))).toBe(false);
  expect(lag.isBehind(10_000, status(7, 6, 0))).toBe(true);
});

test('a leader that has just begun to count holds nobody back', () => {
  const lag = new ApplyLag(500);
  expect(lag.isBehind(0, status(0, 0, 0))).toBe(false);
  lag.tick(0, 100);
  expect(lag.isBehind(499, status(0, 0, 0))).toBe(false);
});
