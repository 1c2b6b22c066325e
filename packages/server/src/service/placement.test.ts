import { expect, test } from 'vitest';
import { ManualClock } from '../../test/manual-clock.ts';
import { createPlacement, type Place } from './placement.ts';

const n2 = { id: 'n2', peer: '', api: 'http://n2' };
const there: Place = { kind: 'there', peer: n2 };
const never = new AbortController().signal;

function placementAt(first: Place | undefined) {
  const clock = new ManualClock();
  const world = { place: first };
  const placement = createPlacement({ now: () => world.place, clock, pollMs: 10, waitMs: 1_200 });
  return { clock, world, placement };
}

test('a place that is known is answered at once, and no timer is set', async () => {
  const { clock, placement } = placementAt({ kind: 'here' });
  expect(await placement.find(true, never)).toEqual({ kind: 'here' });
  expect(await placement.find(false, never)).toEqual({ kind: 'here' });
  expect(clock.timers).toBe(0);
});

test('what came from another node is not passed on again', async () => {
  const { placement } = placementAt(there);
  expect(await placement.find(true, never)).toEqual(there);
  expect(await placement.find(false, never)).toBeUndefined();
});

test('a request waits for a leader, and goes to it once it is known', async () => {
  const { clock, world, placement } = placementAt(undefined);
  const found = placement.find(true, never);
  clock.advance(500);
  world.place = there;
  clock.advance(10);
  expect(await found).toEqual(there);
  expect(clock.timers).toBe(0);
});

test('what came from another node waits until this one serves', async () => {
  const { clock, world, placement } = placementAt(undefined);
  const found = placement.find(false, never);
  clock.advance(50);
  world.place = { kind: 'here' };
  placement.changed();
  expect(await found).toEqual({ kind: 'here' });
});

test('a wait ends after its limit, and not before', async () => {
  const { clock, placement } = placementAt(undefined);
  let isOver = false;
  const found = placement.find(true, never).finally(() => {
    isOver = true;
  });
  clock.advance(1_190);
  await Promise.resolve();
  expect(isOver).toBe(false);
  clock.advance(10);
  expect(await found).toBeUndefined();
  expect(clock.timers).toBe(0);
});

test('a wait ends when the caller walks away, and when the node stops', async () => {
  const { clock, placement } = placementAt(undefined);
  const caller = new AbortController();
  const left = placement.find(true, caller.signal);
  const stayed = placement.find(true, never);
  caller.abort();
  clock.advance(10);
  expect(await left).toBeUndefined();
  placement.stop();
  expect(await stayed).toBeUndefined();
  expect(await placement.find(true, never)).toBeUndefined();
  expect(clock.timers).toBe(0);
});

test('the loss of a leader is told once to whoever watches it, and to nobody who ceased to', () => {
  const { clock, world, placement } = placementAt(there);
  const told: string[] = [];
  placement.watch(n2, () => told.push('watcher'));
  placement.watch(n2, () => told.push('ceased'))();
  clock.advance(500);
  expect(told).toEqual([]);
  world.place = undefined;
  clock.advance(10);
  world.place = { kind: 'there', peer: { ...n2, id: 'n3' } };
  clock.advance(100);
  expect(told).toEqual(['watcher']);
  expect(clock.timers).toBe(0);
});
