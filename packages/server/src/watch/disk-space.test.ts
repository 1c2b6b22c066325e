import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { createDiskSpace, diskLookMs } from './disk-space.ts';

function diskInTest() {
  const lines: string[] = [];
  const clock = new ManualClock();
  let answer: () => Promise<number> = () => Promise.resolve(2_000);
  let looks = 0;
  const say = ({ event }: Readonly<Record<string, unknown>>) => lines.push(String(event));
  const disk = createDiskSpace({
    id: 'n1',
    freeBytes: () => {
      looks += 1;
      return answer();
    },
    minFreeBytes: 1_000,
    freeMarginBytes: 500,
    clock,
    log: { info: say, warn: say, error: say },
  });
  const look = async (free: number | Error) => {
    answer = () => (free instanceof Error ? Promise.reject(free) : Promise.resolve(free));
    clock.advance(diskLookMs);
    disk.maybeLook();
    await setImmediate();
    return disk.seen;
  };
  return { disk, clock, look, lines, looks: () => looks, hang: () => (answer = () => new Promise(() => undefined)) };
}

test('a disk is low below the mark, and has room again only with the margin', async () => {
  const { disk, look, lines } = diskInTest();
  expect(disk.seen).toBeUndefined();
  expect(await look(1_000)).toEqual({ freeBytes: 1_000, low: false });
  expect(await look(999)).toEqual({ freeBytes: 999, low: true });
  expect(await look(1_499)).toEqual({ freeBytes: 1_499, low: true });
  expect(await look(1_500)).toEqual({ freeBytes: 1_500, low: false });
  expect(await look(1_001)).toEqual({ freeBytes: 1_001, low: false });
  expect(lines).toEqual(['disk.low', 'disk.room']);
});

test('a file system that does not say is reported once, and nothing is known until it says', async () => {
  const { look, lines } = diskInTest();
  expect(await look(10)).toEqual({ freeBytes: 10, low: true });
  expect(await look(new Error('EIO'))).toBeUndefined();
  expect(await look(new Error('EIO'))).toBeUndefined();
  expect(await look(20)).toEqual({ freeBytes: 20, low: true });
  expect(lines).toEqual(['disk.low', 'disk.unknown', 'disk.low']);
});

test('it looks no more often than it should, and never while a look has not ended', async () => {
  const { disk, clock, look, looks, hang } = diskInTest();
  await look(2_000);
  disk.maybeLook();
  expect(looks()).toBe(1);
  hang();
  clock.advance(diskLookMs);
  disk.maybeLook();
  clock.advance(10 * diskLookMs);
  disk.maybeLook();
  expect(looks()).toBe(2);
  expect(disk.seen).toEqual({ freeBytes: 2_000, low: false });
});
