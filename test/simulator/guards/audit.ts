// npm run mutants                 takes out one guard after the other, and runs seeds until the simulator fails
// npm run mutants -- --only H3    those whose name contains this; several with commas
// npm run mutants -- --from 500   with other seeds than the guards name; --most 10: at most so many for each
// A guard whose removal nobody notices means that the simulator is blind there, and fails the command. So does a seed that
// fails with everything in its place.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commandLine, refuse, wholeNumber } from '../../command-line.ts';
import type { SeedOrder } from '../seed-process.ts';
import { SeedProcess } from '../seed-process.ts';
import type { Guard } from './guard.ts';
import { guards } from './index.ts';
import { buildMutant } from './mutant.ts';

interface Outcome {
  readonly guard: Guard;
  /** Seeds until the simulator failed; undefined when it never did. */
  readonly seeds: number | undefined;
  readonly says: string;
  readonly tookMs: number;
}

const { values } = commandLine({
  options: {
    only: { type: 'string' },
    workers: { type: 'string', default: '2' },
    from: { type: 'string' },
    most: { type: 'string', default: '10000' },
  },
});
const workers = wholeNumber('workers', values.workers, 1);
const most = wholeNumber('most', values.most, 1);
const fromSeed = values.from === undefined ? undefined : wholeNumber('from', values.from, 0);
const parts = values.only?.split(',') ?? [''];
const strange = parts.find((part) => !guards.some(({ name }) => name.includes(part)));
if (strange !== undefined)
  refuse(`no guard has "${strange}" in its name; there are ${guards.map(({ name }) => name).join(', ')}`);
/** One seed takes a second or two of a quiet machine; a mutant that never ends one has been noticed. */
const seedLimitMs = 2 * 60_000;
const root = resolve('.');
const folder = join(root, 'test/dist/mutants');
/** Seeds that fail though nothing was taken out. */
const stains = new Map<string, string>();

async function violationOf(process: SeedProcess, order: SeedOrder): Promise<string | undefined> {
  const report = await process.run(order);
  return typeof report === 'string' ? report : report.violations[0];
}

async function attack(guard: Guard, unchanged: string): Promise<Outcome> {
  const startedMs = performance.now();
  const { name, settings = [], changes } = guard;
  const mutant = new SeedProcess(
    await buildMutant({ name, changes: [...settings, ...changes] }, root, folder),
    seedLimitMs,
  );
  const control = { name: `${name}-in-its-place`, changes: settings };
  const whole = new SeedProcess(
    settings.length === 0 ? unchanged : await buildMutant(control, root, folder),
    seedLimitMs,
  );
  const ended = (seeds: number | undefined, says: string): Outcome => {
    mutant.end();
    whole.end();
    return { guard, seeds, says, tookMs: performance.now() - startedMs };
  };
  for (let seeds = 1; seeds <= Math.min(guard.seeds, most); seeds++) {
    const profile = guard.profiles[(seeds - 1) % guard.profiles.length] ?? guard.profiles[0];
    const order: SeedOrder = {
      seed: (fromSeed ?? guard.from ?? 1) + seeds - 1,
      profile,
      endsAtViolation: true,
    };
    const violation = await violationOf(mutant, order);
    if (violation === undefined || guard.missedBy?.test(violation) === false) continue;
    // What fails with the guard in its place was not found by taking it out; and where a whole seed takes nearly as long,
    // one that was killed was only slow.
    const beganMs = performance.now();
    const said = await violationOf(whole, order);
    const stain = said === undefined || guard.missedBy?.test(said) === false ? undefined : said;
    const isSlow = violation.includes('killed') && performance.now() - beganMs > seedLimitMs / 10;
    if (stain === undefined && !isSlow) return ended(seeds, violation);
    const where = settings.length === 0 ? '' : `, with the settings of ${name}`;
    if (stain !== undefined) stains.set(`npm run sim -- --seed ${order.seed} --profile ${profile}${where}`, stain);
  }
  return ended(undefined, 'nobody noticed');
}

const lineOf = ({ guard, seeds, says, tookMs }: Outcome): string =>
  [
    (seeds === undefined ? 'NEVER' : String(seeds)).padStart(5),
    `of ${String(guard.seeds).padEnd(4)}`,
    `${(tookMs / 1_000).toFixed(0).padStart(4)} s`,
    guard.name.padEnd(34),
    says.replaceAll(/\s+/g, ' ').slice(0, 120),
  ].join(' ');

const wanted = guards.filter(({ name }) => parts.some((part) => name.includes(part)));
mkdirSync(folder, { recursive: true });
const unchanged = await buildMutant({ name: 'unchanged', changes: [] }, root, folder);
const startedMs = performance.now();
const outcomes = new Map<Guard, Outcome>();
// The long hunts first, so that no worker is left alone with one at the end.
const queue = wanted.toSorted((a, b) => b.seeds - a.seeds);
await Promise.all(
  Array.from({ length: workers }, async () => {
    for (let guard = queue.shift(); guard !== undefined; guard = queue.shift()) {
      const taken = guard;
      const outcome = await attack(taken, unchanged).catch(
        (error: unknown): Outcome => ({ guard: taken, seeds: undefined, says: String(error), tookMs: 0 }),
      );
      outcomes.set(taken, outcome);
      console.log(lineOf(outcome));
    }
  }),
);
const survivors = wanted.filter((guard) => outcomes.get(guard)?.seeds === undefined);
console.log('\nguard, and seeds until it was missed:');
for (const guard of wanted) {
  const seeds = outcomes.get(guard)?.seeds;
  console.log(`${(seeds === undefined ? 'NEVER' : String(seeds)).padStart(6)}  ${guard.name.padEnd(34)} ${guard.rule}`);
}
for (const [again, violation] of stains) console.log(`fails with every guard in its place: ${again}\n    ${violation}`);
console.log(
  `${wanted.length} guards taken out in ${((performance.now() - startedMs) / 60_000).toFixed(1)} min: ${wanted.length - survivors.length} noticed, ${survivors.length} not`,
);
process.exitCode = survivors.length > 0 || stains.size > 0 ? 1 : 0;
