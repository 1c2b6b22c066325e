// A few seeds of the whole cluster in one process; `npm run sim` runs thousands.
import { expect, test } from 'vitest';
import { profileOfSeed } from './profile.ts';
import { runSeed } from './run-seed.ts';

const fixed = [1, 3, 5, 9, 11, 13, 15, 17].map((seed) => ({ seed }));
const base = Math.floor(Math.random() * 1_000_000);
const drawn = Array.from({ length: 12 }, (_, i) => ({ seed: base + i }));

test.each([...fixed, ...drawn])(
  'npm run sim -- --seed $seed --trace',
  async ({ seed }) => {
    const { violations, reached } = await runSeed({ seed, profile: profileOfSeed(seed) });
    expect(violations).toEqual([]);
    expect(reached['delivered']).toBeGreaterThan(0);
  },
  120_000,
);

test('one seed has one trace, another seed another', async () => {
  const first = await runSeed({ seed: 42, profile: 'swarm' });
  const second = await runSeed({ seed: 42, profile: 'swarm' });
  const other = await runSeed({ seed: 43, profile: 'swarm' });
  expect(second.traceHash).toBe(first.traceHash);
  expect(second.events).toBe(first.events);
  expect(other.traceHash).not.toBe(first.traceHash);
}, 120_000);
