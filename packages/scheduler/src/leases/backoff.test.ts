import { assert, double, integer, property } from 'fast-check';
import { expect, test } from 'vitest';
import { backoffAfterRunOutMs, backoffMs } from './backoff.ts';

const config = { maxAttempts: 20, backoffFirstMs: 100, backoffMaxMs: 60_000 };

test('the pause doubles with each attempt, up to its cap; at least half of it is certain', () => {
  expect([1, 2, 3, 4].map((attempt) => backoffMs(config, attempt, 0))).toEqual([50, 100, 200, 400]);
  expect([1, 2, 3, 4].map((attempt) => backoffMs(config, attempt, 0.999_999))).toEqual([99, 199, 399, 799]);
  expect(backoffMs(config, 1_000, 0.5)).toBe(45_000);
});

test('it is whole ms between half of the step and the step, for any attempt and any draw', () => {
  const draws = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const check = property(integer({ min: 1, max: 2 ** 31 }), draws, (attempt, random) => {
    const pauseMs = backoffMs(config, attempt, random);
    const stepMs = Math.min(60_000, 100 * 2 ** (attempt - 1));
    expect(Number.isSafeInteger(pauseMs)).toBe(true);
    expect(pauseMs).toBeGreaterThanOrEqual(Math.floor(stepMs / 2));
    expect(pauseMs).toBeLessThanOrEqual(stepMs);
  });
  assert(check);
});

test('after a lease that ran out the first retry is at once, the next ones go by the back-off', () => {
  expect([1, 2, 3].map((attempt) => backoffAfterRunOutMs(config, attempt, 0))).toEqual([0, 50, 100]);
});
