import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock } from '../test/manual-clock.ts';
import { SingleTimer, type Timed, TimeHeap } from './wakeups.ts';

test('the heap agrees with a sorted list, whatever is put in, moved and taken out', () => {
  const move = record({
    kind: constantFrom('set' as const, 'remove' as const, 'pop' as const),
    item: integer({ min: 0, max: 19 }),
    timeMs: integer({ min: 0, max: 30 }),
  });
  const check = property(array(move, { minLength: 20, maxLength: 200 }), (moves) => {
    const items = Array.from({ length: 20 }, (): Timed => ({ timeMs: 0, slot: -1 }));
    const heap = new TimeHeap<Timed>();
    const inside = new Map<Timed, number>();
    for (const { kind, item: number, timeMs } of moves) {
      const item = kind === 'pop' ? heap.first() : items[number];
      if (item === undefined) continue;
      if (kind === 'set') {
        heap.set(item, timeMs);
        inside.set(item, timeMs);
      } else {
        heap.remove(item);
        inside.delete(item);
      }
      expect(heap.size).toBe(inside.size);
      expect(heap.first()?.timeMs).toBe(inside.size === 0 ? undefined : Math.min(...inside.values()));
    }
  });
  assert(check);
});

test('one timer runs at most, set for the earliest of what was asked', async () => {
  const clock = new ManualClock();
  const firedAtMs: number[] = [];
  const timer = new SingleTimer(clock, () => firedAtMs.push(clock.monotonicMs()));
  timer.arm(100);
  timer.arm(50);
  timer.arm(70);
  expect(clock.timers).toBe(1);
  await clock.advance(200, async () => {});
  expect(firedAtMs).toEqual([50]);
  timer.arm(10);
  timer.cancel();
  await clock.advance(200, async () => {});
  expect(firedAtMs).toEqual([50]);
});
