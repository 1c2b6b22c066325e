// The real clock: what it promises about timers is kept by looking again, and not by trusting setTimeout.
import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('a timer never fires before its time on the monotonic clock', async () => {
  const earlyMs: number[] = [];
  const timers = Array.from({ length: 40 }, (_, at) => {
    const dueMs = systemClock.monotonicMs() + at / 4;
    return new Promise<void>((resolve) => {
      systemClock.after(at / 4, () => {
        earlyMs.push(dueMs - systemClock.monotonicMs());
        resolve();
      });
    });
  });
  await Promise.all(timers);
  expect(Math.max(...earlyMs)).toBeLessThanOrEqual(0);
});

test('a cancelled timer does not fire, and one of a hundred years does not fire at once', async () => {
  const fired: string[] = [];
  systemClock.after(1, () => fired.push('cancelled'))();
  const cancel = systemClock.after(100 * 365 * 24 * 3_600_000, () => fired.push('a hundred years'));
  await new Promise<void>((resolve) => void systemClock.after(10, resolve));
  expect(fired).toEqual([]);
  cancel();
});
