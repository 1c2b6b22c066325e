// Whole clusters of cores, by seed: a network that loses, repeats and reorders, disks that take their time, processes
// that crash and come back with what was durable. After every step what Raft promises must hold.
import { expect, test } from 'vitest';
import { Chaos } from '../../test/core/chaos.ts';

const seeds = Number(process.env['CORE_SEEDS'] ?? 200);
const first = Number(process.env['CORE_SEED'] ?? 1);

test.each([1, 2, 3, 5])('%i nodes keep every promise under faults, and agree once the faults stop', (size) => {
  let committed = 0;
  let elections = 0;
  let reads = 0;
  let installs = 0;
  for (let seed = first; seed < first + seeds / 4; seed += 1) {
    const chaos = new Chaos(size, seed);
    try {
      chaos.run(1000);
      chaos.heal();
    } catch (cause) {
      throw new Error(`${size} nodes, CORE_SEED=${seed} CORE_SEEDS=4, step ${chaos.step}`, { cause });
    }
    committed += chaos.committed.length;
    elections += chaos.leaders.size;
    reads += chaos.reads.answered;
    installs += chaos.installs;
  }
  // The runs are worth something: things were committed, and leaders changed.
  expect(committed).toBeGreaterThan(seeds);
  expect(elections).toBeGreaterThan(seeds / 4);
  expect(reads).toBeGreaterThan(seeds);
  // Of two, both have what is committed, and nothing else is compacted.
  expect(installs).toBeGreaterThanOrEqual(size <= 2 ? 0 : seeds / 20);
});

test('members come and go under faults: no promise is broken, and the last ones agree', () => {
  let changes = 0;
  for (let seed = first; seed < first + seeds / 4; seed += 1) {
    for (const size of [1, 3]) {
      const chaos = new Chaos(size, seed, 3);
      try {
        chaos.run(1500);
        chaos.heal();
      } catch (cause) {
        throw new Error(`${size} nodes and 3 spares, CORE_SEED=${seed} CORE_SEEDS=4, step ${chaos.step}`, { cause });
      }
      changes += chaos.changed;
    }
  }
  expect(changes).toBeGreaterThan(seeds);
});
