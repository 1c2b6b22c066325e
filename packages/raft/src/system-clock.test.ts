// The real clock: what it promises about timers is kept by looking again, and not by trusting setTimeout.
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from './system-clock.ts';

const hundredYearsMs = 100 * 365 * 24 * 3_600_000;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('a timer that the system fires early waits for the rest', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const nowMs = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  const fired: number[] = [];
  systemClock.after(5, () => fired.push(performance.now()));
  nowMs.mockReturnValue(1_004.6);
  vi.advanceTimersByTime(5);
  expect(fired).toEqual([]);
  nowMs.mockReturnValue(1_005);
  vi.advanceTimersByTime(1);
  expect(fired).toEqual([1_005]);
});

test('a wait that is longer than Node can hold does not fire at once, nor spin', async () => {
  const armed = vi.spyOn(globalThis, 'setTimeout');
  const fired: string[] = [];
  const cancel = systemClock.after(hundredYearsMs, () => fired.push('a hundred years'));
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  expect([fired, armed.mock.calls.map(([, delayMs]) => delayMs)]).toEqual([[], [2 ** 31 - 1]]);
  cancel();
});

test('a timer that was cancelled does not fire', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const fired: string[] = [];
  systemClock.after(1, () => fired.push('cancelled'))();
  systemClock.after(2, () => fired.push('kept'));
  vi.advanceTimersByTime(10);
  expect(fired).toEqual(['kept']);
});
