import { expect, test } from 'vitest';
import { origin } from '../position.ts';
import { LowWater } from './low-water.ts';

const at = (fireAtMs: number, seq = 0) => ({ fireAtMs, seq });
const lane = 'message/1';

test('what a scan found empty, no later one walks', () => {
  const water = new LowWater();
  water.learn(lane, { after: origin, first: at(500, 3), floor: at(900, 9), appliedIndex: 1 });
  expect(water.raise(lane, origin, 1)).toEqual(at(500, 2));
  expect(water.raise(lane, at(700), 1)).toEqual(at(700));
  expect(water.raise('message/2', origin, 1)).toEqual(origin);
});

test('it never rises above what may still be inserted', () => {
  const water = new LowWater();
  water.learn(lane, { after: origin, first: undefined, floor: at(900, 9), appliedIndex: 1 });
  expect(water.raise(lane, origin, 1)).toEqual(at(900, 9));
  water.learn(lane, { after: at(900, 9), first: at(5_000, 1), floor: at(1_000, 10), appliedIndex: 2 });
  expect(water.raise(lane, origin, 2)).toEqual(at(1_000, 10));
});

test('a view that is older than the mark still sees what stood there', () => {
  const water = new LowWater();
  water.learn(lane, { after: origin, first: at(500, 3), floor: at(900, 9), appliedIndex: 7 });
  expect(water.raise(lane, origin, 6)).toEqual(origin);
});

test('a scan that began above the mark says nothing about what is below it', () => {
  const water = new LowWater();
  water.learn(lane, { after: at(600), first: at(800, 1), floor: at(900, 9), appliedIndex: 1 });
  expect(water.raise(lane, origin, 1)).toEqual(origin);
});

test('it never falls', () => {
  const water = new LowWater();
  water.learn(lane, { after: origin, first: at(500, 3), floor: at(900, 9), appliedIndex: 7 });
  water.learn(lane, { after: origin, first: at(300, 1), floor: at(800, 9), appliedIndex: 5 });
  expect(water.raise(lane, origin, 7)).toEqual(at(500, 2));
});

test('just below the first row is the ms before it, where its seq is 0', () => {
  const water = new LowWater();
  water.learn(lane, { after: origin, first: at(500, 0), floor: at(900, 9), appliedIndex: 1 });
  expect(water.raise(lane, origin, 1)).toEqual(at(499, 2 ** 48 - 1));
});
