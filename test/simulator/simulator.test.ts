// Some seeds of the whole cluster in one process; `npm run sim` runs thousands.
import { describe, expect, test } from 'vitest';
import { profileOfSeed } from './profile.ts';
import { runSeed } from './run-seed.ts';

/** One seed of each profile that looks at one thing closely. */
const fixed = [1, 3, 5, 9, 11, 13, 15, 17, 19].map((seed) => ({ seed }));
const base = Math.floor(Math.random() * 1_000_000);
const drawn = Array.from({ length: 30 }, (_, i) => ({ seed: base + i }));

const run = async ({ seed }: { readonly seed: number }): Promise<void> => {
  const { violations, reached } = await runSeed({ seed, profile: profileOfSeed(seed) });
  expect(violations).toEqual([]);
  expect(reached['delivered']).toBeGreaterThan(0);
};

test.each(fixed)('npm run sim -- --seed $seed --trace', run, 120_000);

// Also when all pass: which ones they were.
console.log(`npm run sim -- --seeds ${drawn.length} --from ${base}`);
describe(`from ${base}`, () => {
  test.each(drawn)('npm run sim -- --seed $seed --trace', run, 120_000);
});

test('one seed has one trace, another seed another', async () => {
  const first = await runSeed({ seed: 42, profile: 'swarm' });
  const second = await runSeed({ seed: 42, profile: 'swarm' });
  const other = await runSeed({ seed: 43, profile: 'swarm' });
  expect(second.traceHash).toBe(first.traceHash);
  expect(second.events).toBe(first.events);
  expect(other.traceHash).not.toBe(first.traceHash);
}, 120_000);
