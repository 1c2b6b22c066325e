import { expect, test } from 'vitest';
import { Watchdog } from './watchdog.ts';

test('a write that takes too long is a stall, until it ends', () => {
  const watchdog = new Watchdog(2500);
  expect(watchdog.isStalled(10_000)).toBe(false);
  watchdog.writeStarted(1000);
  expect(watchdog.isStalled(3500)).toBe(false);
  expect(watchdog.isStalled(3501)).toBe(true);
  watchdog.writeEnded();
  expect(watchdog.isStalled(9000)).toBe(false);
});

test('the time for which the process stood still is not the disk’s', () => {
  const watchdog = new Watchdog(2500);
  watchdog.paused(100);
  watchdog.writeStarted(1000);
  watchdog.paused(5000);
  expect(watchdog.isStalled(7000)).toBe(false);
  expect(watchdog.isStalled(8501)).toBe(true);
});
