import { expect, test } from 'vitest';
import type { Place } from './placement.ts';
import { placeRead } from './reads.ts';

const { signal } = new AbortController();
const here: Place = { kind: 'here' };

function portsOf(answers: readonly boolean[], places: readonly (Place | undefined)[], byAny = true) {
  const asked: string[] = [];
  const next = [...answers];
  const known = [...places];
  return {
    asked,
    ports: {
      placement: {
        find: async () => {
          asked.push('leader?');
          return known.length > 1 ? known.shift() : known[0];
        },
      },
      byAny: () => byAny,
      readIndex: async () => {
        asked.push('index?');
        return next.shift() ?? false;
      },
    },
  };
}

test('a read waits for a leader and its word, and then is served here', async () => {
  const { ports, asked } = portsOf([true], [here]);
  expect(await placeRead(ports, { stale: false, signal })).toBe('here');
  expect(asked).toEqual(['leader?', 'index?']);
});

test('a stale read asks nobody', async () => {
  const { ports, asked } = portsOf([], [undefined]);
  expect(await placeRead(ports, { stale: true, signal })).toBe('here');
  expect(asked).toEqual([]);
});

test('a leader that is lost in between is looked for again, a bounded number of times', async () => {
  const twice = portsOf([false, true], [here]);
  expect(await placeRead(twice.ports, { stale: false, signal })).toBe('here');
  const never = portsOf([], [here]);
  expect(await placeRead(never.ports, { stale: false, signal })).toBe('nowhere');
  expect(never.asked).toHaveLength(6);
});

test('without a leader there is no answer', async () => {
  const { ports, asked } = portsOf([true], [undefined]);
  expect(await placeRead(ports, { stale: false, signal })).toBe('nowhere');
  expect(asked).toEqual(['leader?']);
});

test('as long as a member does not know the question, the leader answers', async () => {
  const { ports } = portsOf([true], [here], false);
  expect(await placeRead(ports, { stale: false, signal })).toBe('leader');
});
