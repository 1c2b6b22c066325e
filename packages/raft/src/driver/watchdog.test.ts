import { expect, test } from 'vitest';
import { Watchdog } from './watchdog.ts';

test('a write that takes too long is a stall, until it ends', () => {
  const watchdog = new Watchdog(2500);
  expect(watchdog.stalledMs(10_000)).toBeUndefined();
  watchdog.writeStarted(1000);
  expect(watchdog.stalledMs(3500)).toBeUndefined();
  expect(watchdog.stalledMs(3501)).toBe(2501);
  watchdog.writeEnded();
  expect(watchdog.stalledMs(9000)).toBeUndefined();
});

test('the time for which the process stood still is not the disk’s', () => {
  const watchdog = new Watchdog(2500);
  watchdog.paused(100);
  watchdog.writeStarted(1000);
  watchdog.paused(5000);
  expect(watchdog.stalledMs(7000)).toBeUndefined();
  expect(watchdog.stalledMs(8501)).toBe(2501);
});
