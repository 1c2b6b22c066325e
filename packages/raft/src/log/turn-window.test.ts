import { expect, test } from 'vitest';
import { TurnWindow } from './turn-window.ts';

test('turns are kept while what came after them fits into the write buffers', () => {
  const window = new TurnWindow(100, 1000, 0, [10]);
  expect(window.add(40)).toBe(0);
  expect(window.add(40)).toBe(0);
  // 90 bytes follow turn 1, 130 follow turn 0.
  expect(window.add(50)).toBe(1);
  expect(window.add(1)).toBe(1);
  expect(window.add(10)).toBe(2);
});

test('the last turn is kept, however large it is', () => {
  const window = new TurnWindow(100, 1000, 7, [10, 10]);
  expect(window.add(5000)).toBe(9);
});

test('tiny turns are bounded by their number', () => {
  const window = new TurnWindow(1e9, 10, 0, [1]);
  let oldest = 0;
  for (let turn = 1; turn <= 20_000; turn++) oldest = window.add(1);
  expect(oldest).toBe(20_000 - 9);
});
