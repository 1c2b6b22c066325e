import { expect, test } from 'vitest';
import { Tally } from './demo-tally.ts';

function tallyOf(arrivals: readonly (readonly [id: string, atMs: number, latenessMs: number])[]): Tally {
  const tally = new Tally();
  for (const id of ['a', 'b', 'c']) tally.scheduled(id, 1_000);
  for (const arrival of arrivals) tally.delivered(...arrival);
  return tally;
}

test('lost, early and repeated are told apart', () => {
  const tally = tallyOf([
    ['a', 999, -1],
    ['b', 1_010, 10],
    ['b', 1_020, 20],
  ]);
  expect(tally.count()).toMatchObject({ scheduled: 3, delivered: 2, lost: 1, early: 1, repeated: 1, maxMs: 20 });
  expect(tally.missing).toBe(1);
});

test('percentiles are of what arrived', () => {
  const tally = new Tally();
  for (let at = 1; at <= 100; at += 1) tally.delivered(String(at), at, at);
  expect(tally.count()).toMatchObject({ p50Ms: 50, p99Ms: 99, maxMs: 100 });
  expect(new Tally().count()).toMatchObject({ p50Ms: 0, maxMs: 0, scheduled: 0 });
});

test('silence is the longest gap around the kill, not one before it or long after it', () => {
  const tally = tallyOf([
    ['a', 0, 0],
    ['b', 900, 0],
    ['c', 1_000, 0],
    ['d', 1_300, 0],
    ['e', 1_400, 0],
    ['f', 9_000, 0],
    ['g', 19_000, 0],
  ]);
  expect(tally.silenceMs({ atMs: 950 })).toBe(7_600);
  expect(tally.silenceMs({ atMs: 8_000 })).toBe(10_000);
  expect(tally.silenceMs({ atMs: 19_000 })).toBeUndefined();
});
