import { expect, test } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { createPauses } from './pauses.ts';

test('a look that comes late by the bound is a pause: counted, said, and the longest is kept', () => {
  const clock = new ManualClock();
  const lines: unknown[] = [];
  const say = (fields: Readonly<Record<string, unknown>>) => lines.push(fields);
  const pauses = createPauses({ clock, pauseMs: 300, log: { info: say, warn: say, error: say } });
  const wakesAfter = (ms: number) => {
    pauses.sleeps(50);
    clock.advance(ms);
    return pauses.woke();
  };
  expect(pauses.woke()).toBe(false);
  expect(wakesAfter(50)).toBe(false);
  expect(wakesAfter(349)).toBe(false);
  expect([pauses.count, pauses.longestMs]).toEqual([0, 299]);
  expect(wakesAfter(350)).toBe(true);
  expect(wakesAfter(2_050)).toBe(true);
  expect(wakesAfter(450)).toBe(true);
  expect([pauses.count, pauses.longestMs]).toEqual([3, 2_000]);
  expect(lines).toEqual([300, 2_000, 400].map((pausedMs) => ({ event: 'process.paused', pausedMs })));
});
