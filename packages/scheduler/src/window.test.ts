import { array, assert, constant, integer, nat, oneof, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { Window, type WindowRow } from './window.ts';

const row = (timeMs: number, seq: number): WindowRow => [timeMs, seq, timeMs, seq];
const byTime = (a: WindowRow, b: WindowRow): number => a[0] - b[0] || a[1] - b[1];

function taken(window: Window): [number, number][] {
  const rows: [number, number][] = [];
  for (let next = window.shift(); next !== undefined; next = window.shift()) rows.push([next[0], next[1]]);
  return rows;
}

test('rows come out in order of time, then seq, whatever order they went in', () => {
  const window = new Window({ capacity: 8, payload: false }, { timeMs: 0, seq: 0 });
  window.beginScan();
  window.endScan([], true);
  for (const [timeMs, seq] of [
    [30, 3],
    [10, 5],
    [30, 1],
    [10, 2],
  ] as const)
    window.insert(timeMs, seq);
  expect(window.firstTimeMs).toBe(10);
  expect(taken(window)).toEqual([
    [10, 2],
    [10, 5],
    [30, 1],
    [30, 3],
  ]);
});

test('a retry row keeps the position that it points at', () => {
  const window = new Window({ capacity: 8, payload: true }, { timeMs: -1, seq: -1 });
  window.beginScan();
  window.insert(50, 9, 20, 4);
  window.endScan([[40, 8, 10, 2]], true);
  expect([window.shift(), window.shift()]).toEqual([
    [40, 8, 10, 2],
    [50, 9, 20, 4],
  ]);
});

test('what finds no room is let go from the far end, and the window no longer claims to know it', () => {
  const window = new Window({ capacity: 3, payload: false }, { timeMs: 0, seq: 0 });
  window.beginScan();
  window.endScan([row(10, 1), row(20, 2), row(30, 3)], true);
  expect(window.complete).toBe(true);
  window.insert(15, 4);
  expect(window.complete).toBe(false);
  expect(window.end).toEqual({ timeMs: 20, seq: 2 });
  window.insert(40, 5);
  expect(taken(window)).toEqual([
    [10, 1],
    [15, 4],
    [20, 2],
  ]);
});

test('memory stays at the capacity, however many rows pass through', () => {
  const window = new Window({ capacity: 64, payload: false }, { timeMs: 0, seq: 0 });
  window.beginScan();
  window.endScan([], true);
  for (let seq = 1; seq <= 10_000; seq++) {
    window.insert(seq, seq);
    if (seq % 3 === 0) window.shift();
  }
  expect(window.size).toBeLessThanOrEqual(64);
});

/** One step of a lane's life, as small numbers. */
const step = oneof(
  { weight: 5, arbitrary: record({ kind: constant('insert' as const), inMs: nat({ max: 12 }) }) },
  { weight: 2, arbitrary: record({ kind: constant('take' as const), rows: nat({ max: 4 }) }) },
  { weight: 2, arbitrary: constant({ kind: 'beginScan' as const }) },
  { weight: 2, arbitrary: constant({ kind: 'endScan' as const }) },
  { weight: 2, arbitrary: record({ kind: constant('clock' as const), byMs: nat({ max: 5 }) }) },
);

test('invariant W against brute force: what is taken up to the clock is exactly what the lane holds, nothing overlooked', () => {
  let takes = 0;
  let mostBeyondCapacity = -1;
  assert(
    property(array(step, { minLength: 40, maxLength: 120 }), integer({ min: 2, max: 6 }), (steps, capacity) => {
      const lane: WindowRow[] = [];
      const window = new Window({ capacity, payload: false }, { timeMs: 0, seq: 0 });
      let base: WindowRow = row(0, 0);
      let clockMs = 1;
      let seq = 1;
      let scan: WindowRow[] | undefined;
      for (const move of steps) {
        switch (move.kind) {
          case 'insert': {
            const inserted = row(clockMs + move.inMs, ++seq);
            lane.push(inserted);
            window.insert(inserted[0], inserted[1]);
            break;
          }
          case 'clock':
            clockMs += move.byMs;
            break;
          case 'beginScan': {
            if (scan !== undefined || window.complete) break;
            const end = row(window.end.timeMs, window.end.seq);
            scan = lane.filter((other) => byTime(other, end) > 0).sort(byTime);
            window.beginScan();
            break;
          }
          case 'endScan': {
            if (scan === undefined) break;
            window.endScan(scan.slice(0, capacity), scan.length <= capacity);
            scan = undefined;
            break;
          }
          case 'take': {
            const names: WindowRow[] = [];
            while (names.length < move.rows && window.firstTimeMs <= clockMs) {
              const next = window.shift();
              if (next !== undefined) names.push(next);
            }
            const to = names.at(-1);
            if (to === undefined) break;
            takes++;
            const passed = lane.filter((other) => byTime(other, base) > 0 && byTime(other, to) <= 0).sort(byTime);
            expect(names).toEqual(passed);
            base = to;
            break;
          }
        }
        mostBeyondCapacity = Math.max(mostBeyondCapacity, window.size - capacity);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(mostBeyondCapacity).toBe(0);
  expect(takes).toBeGreaterThan(1_000);
});
