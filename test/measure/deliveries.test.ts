import { expect, test } from 'vitest';
import { Deliveries } from './deliveries.ts';

/** [due, then when it came], ms. */
function deliveriesOf(...messages: readonly (readonly number[])[]): Deliveries {
  const deliveries = new Deliveries();
  for (const [number, [dueMs = 0, ...atMs]] of messages.entries()) {
    deliveries.acknowledged(number, dueMs);
    for (const each of atMs) deliveries.delivered(number, each);
  }
  return deliveries;
}

test('a silence lasts from the delivery before to the next one, while something is due', () => {
  const deliveries = deliveriesOf([0, 3], [5, 60], [10, 61], [15, 62]);
  expect(deliveries.longestSilence(0, 100)).toBe(55);
});

test('nothing due is no silence, however long nothing comes', () => {
  expect(deliveriesOf([0, 2], [1_000, 1_004]).longestSilence(0, 2_000)).toBe(4);
});

test('something that was due before the last delivery has waited since that one, and not only since it was overtaken', () => {
  expect(deliveriesOf([0, 90], [5, 10], [80, 91]).longestSilence(0, 100)).toBe(80);
});

test('a repeated delivery ends no silence, and what never came lasts until the end', () => {
  expect(deliveriesOf([0, 1, 50], [2, 100]).longestSilence(0, 200)).toBe(98);
  expect(deliveriesOf([0, 1], [2]).longestSilence(0, 200)).toBe(198);
});

test('a silence counts where it touches the time that is looked at', () => {
  const deliveries = deliveriesOf([0, 100], [200, 201], [300, 350]);
  expect(deliveries.longestSilence(150, 250)).toBe(1);
  expect(deliveries.longestSilence(320, 330)).toBe(50);
});

test('what is lost, early, repeated and unexpected is counted', () => {
  const deliveries = deliveriesOf([10, 9], [10, 11, 12, 13], [10]);
  deliveries.delivered(7, 20);
  expect(deliveries.counts()).toEqual({ lost: 1, early: 1, repeated: 2, unexpected: 1 });
});
