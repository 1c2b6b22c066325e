import { expect, test } from 'vitest';
import { createAging } from './aging.ts';

const ageMs = 600_000;

function watched() {
  let monotonicMs = 5_000;
  let clockMs = 1_000_000;
  const aging = createAging({ clockMs: () => clockMs, clock: { monotonicMs: () => monotonicMs }, ageMs });
  aging.look();
  return {
    aging,
    /** Time goes on, with a look every second. */
    pass: (ms: number): void => {
      for (let passed = 0; passed < ms; passed += 1_000) {
        monotonicMs += 1_000;
        clockMs += 1_000;
        aging.look();
      }
    },
    /** Cluster time jumps; not a ms passes. */
    jump: (ms: number): void => {
      clockMs += ms;
      aging.look();
    },
  };
}

test('nothing is known to be old before a process has seen it become so', () => {
  const { aging, pass } = watched();
  expect(aging.agedMs).toBe(Number.NEGATIVE_INFINITY);
  pass(ageMs - 1_000);
  expect(aging.agedMs).toBe(Number.NEGATIVE_INFINITY);
  pass(1_000);
  expect(aging.agedMs).toBe(1_000_000);
});

test('what was made between two marks waits for the later one, a tenth of the age at most', () => {
  const { aging, pass } = watched();
  pass(2 * ageMs);
  const clockMs = 1_000_000 + 2 * ageMs;
  expect(clockMs - aging.agedMs).toBeGreaterThanOrEqual(ageMs);
  expect(clockMs - aging.agedMs).toBeLessThanOrEqual(ageMs + ageMs / 10);
});

test('a jump of cluster time makes nothing old, neither what is before it nor what is behind', () => {
  const { aging, pass, jump } = watched();
  pass(ageMs / 2);
  jump(50 * ageMs);
  expect(aging.agedMs).toBe(Number.NEGATIVE_INFINITY);
  pass(ageMs / 2);
  expect(aging.agedMs).toBe(1_000_000);
  // Marks from before the jump still stand where the clock stood then.
  pass(ageMs / 2 - 1_000);
  expect(aging.agedMs).toBeLessThanOrEqual(1_000_000 + ageMs / 2);
  pass(ageMs);
  expect(aging.agedMs).toBeGreaterThan(1_000_000 + 50 * ageMs);
});
