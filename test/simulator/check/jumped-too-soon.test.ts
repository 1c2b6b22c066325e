import { defaults } from '@holdfast/api';
import { answersStandSince, type Command } from '@holdfast/store';
import { expect, test } from 'vitest';
import type { LoggedEntry } from './evidence.ts';
import { jumpedTooSoon } from './jumped-too-soon.ts';

const activate: Command = { kind: 'activate', version: answersStandSince };
const raises = { command: activate, verdict: { kind: 'activated', version: answersStandSince } } as const;

/** Entries at these times; the one at `raisedAt` raises the version. */
function logOf(clocksMs: readonly number[], raisedAt = -1): readonly LoggedEntry[] {
  return clocksMs.map((clockMs, at) => {
    return { index: at + 1, term: 1, clockMs, commands: at === raisedAt ? [raises] : [], changes: [] };
  });
}

const beganMs = 1_893_456_000_000;
const jumpedMs = beganMs + defaults.idempotencyKeepMs;

test('a jump counts while the version is 1, and not from the entry on that raises it', () => {
  expect(jumpedTooSoon(logOf([0, beganMs, beganMs + 10]))).toBe(false);
  expect(jumpedTooSoon(logOf([0, beganMs, jumpedMs]))).toBe(true);
  expect(jumpedTooSoon(logOf([0, beganMs, jumpedMs], 2))).toBe(true);
  expect(jumpedTooSoon(logOf([0, beganMs, jumpedMs], 1))).toBe(false);
  expect(jumpedTooSoon(logOf([0, beganMs, jumpedMs - 1]))).toBe(false);
});
