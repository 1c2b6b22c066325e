// npm run sim -- --seeds 200            so many seeds from a random base, on two processes
// npm run sim -- --seed 17 --trace      one of them, with every line
// npm run sim -- --seeds 200 --coverage which lines of raft's core they ran, too
// npm run sim -- --week [--days 9]     days on end under constant load: whether anything grows
// npm run sim -- --scenario test/scenarios/sleeping-leader.txt [--seed 3] [--trace]
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { commandLine, oneOf, refuse, wholeNumber } from '../command-line.ts';
import { type ProfileName, profileNames, profileOfSeed } from './profile.ts';
import { CellTally, takeCells } from './reach/cells.ts';
import { LineTally, linesWanted, takeLines } from './reach/lines.ts';
import { runSeed } from './run-seed.ts';
import { tell } from './scenario.ts';
import { SeedProcess, type SeedReport, takeOrders, takesOrders } from './seed-process.ts';
import { fewestDays, liveForDays } from './week.ts';

const { values } = commandLine({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    profile: { type: 'string' },
    trace: { type: 'boolean', default: false },
    workers: { type: 'string' },
    week: { type: 'boolean', default: false },
    days: { type: 'string', default: '7' },
    coverage: { type: 'boolean', default: false },
  },
});

const wanted = values.profile === undefined ? undefined : oneOf('profile', values.profile, profileNames);
const workers = wholeNumber('workers', values.workers ?? `${Math.min(2, availableParallelism())}`, 1);
const profileFor = (seed: number): ProfileName => wanted ?? profileOfSeed(seed);
/** One seed takes a second or two of a quiet machine. */
const seedLimitMs = 5 * 60_000;

const instruments = {
  module: new URL('./reach/instrument.js', import.meta.url).href,
  env: values.coverage ? { [linesWanted]: '1' } : {},
};

function print(seed: number, violations: readonly string[]): void {
  for (const violation of violations) console.log(`seed ${seed} (${profileFor(seed)}): ${violation}`);
  const again = `npm run sim -- --seed ${seed}${wanted === undefined ? '' : ` --profile ${wanted}`} --trace`;
  if (violations.length > 0) console.log(`    ${again}`);
}

async function one(seed: number): Promise<void> {
  const result = await runSeed({
    seed,
    profile: profileFor(seed),
    print: values.trace ? (line) => console.log(line) : undefined,
  });
  print(seed, result.violations);
  console.log(
    `seed ${seed} (${result.profile.name}): ${result.violations.length} violations, trace ${result.traceHash}, ${(result.simulatedMs / 1_000).toFixed(0)} s simulated, ${result.events} events`,
  );
  console.log(JSON.stringify(result.reached));
  process.exitCode = result.violations.length > 0 ? 1 : 0;
}

async function many(count: number, from: number): Promise<void> {
  const startedMs = performance.now();
  const reached: Record<string, number> = {};
  const checksMs: Record<string, number> = {};
  let next = from;
  let simulatedMs = 0;
  let events = 0;
  let failed = 0;
  const cells = new CellTally();
  const lines = new LineTally();
  const take = (result: SeedReport): void => {
    print(result.seed, result.violations);
    simulatedMs += result.simulatedMs;
    events += result.events;
    if (result.cells !== undefined) cells.add(result.cells);
    if (result.coreLines !== undefined) lines.add(result.coreLines);
    if (result.violations.length > 0) failed++;
    for (const [name, n] of Object.entries(result.reached)) reached[name] = (reached[name] ?? 0) + n;
    for (const [name, ms] of Object.entries(result.checksMs)) checksMs[name] = (checksMs[name] ?? 0) + ms;
  };
  await Promise.all(
    Array.from({ length: workers }, async () => {
      const child = new SeedProcess(fileURLToPath(import.meta.url), seedLimitMs, instruments);
      while (next < from + count) {
        const seed = next++;
        const report = await child.run({ seed, profile: profileFor(seed) });
        if (typeof report !== 'string') {
          take(report);
          continue;
        }
        print(seed, [report]);
        failed++;
      }
      child.end();
    }),
  );
  const realMs = performance.now() - startedMs;
  console.log(`${count} seeds from ${from}: ${count - failed} passed, ${failed} failed`);
  console.log(
    `${(simulatedMs / 3_600_000).toFixed(2)} h simulated in ${(realMs / 60_000).toFixed(2)} min on ${workers} processes: ${(simulatedMs / realMs).toFixed(1)} simulated seconds and ${((1_000 * events) / realMs).toFixed(0)} events a second`,
  );
  console.log(
    Object.entries(reached)
      .map(([name, n]) => `${name} ${n}`)
      .join(', '),
  );
  const [dearest = ['none', 0]] = Object.entries(checksMs).sort(([, a], [, b]) => b - a);
  const allMs = Object.values(checksMs).reduce((sum, ms) => sum + ms, 0);
  console.log(
    `checks of the histories took ${(allMs / 1_000).toFixed(1)} s; longest: ${dearest[0]}, ${(dearest[1] / 1_000).toFixed(1)} s`,
  );
  for (const line of [...cells.says(), ...lines.says('packages/raft')]) console.log(line);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function week(seed: number): Promise<void> {
  const startedMs = performance.now();
  const days = wholeNumber('days', values.days, 1);
  if (days < fewestDays)
    refuse(`--days is "${days}", but the second day is compared with the last: at least ${fewestDays}`);
  const { violations, simulatedMs, events } = await liveForDays({ seed, days, print: console.log });
  const realMs = performance.now() - startedMs;
  for (const violation of violations) console.log(violation);
  console.log(
    `${days} days with seed ${seed}: ${violations.length} violations; ${(realMs / 60_000).toFixed(1)} min, ${(simulatedMs / realMs).toFixed(0)} simulated seconds and ${((1_000 * events) / realMs).toFixed(0)} events a second`,
  );
  process.exitCode = violations.length > 0 ? 1 : 0;
}

async function story(file: string, seed: number): Promise<void> {
  if (!existsSync(file)) refuse(`there is no scenario ${file}`);
  const faults = await tell(readFileSync(file, 'utf8'), seed, values.trace ? (line) => console.log(line) : undefined);
  for (const fault of faults) console.log(fault);
  console.log(`${file} with seed ${seed}: ${faults.length === 0 ? 'as told' : 'not as told'}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

if (takesOrders)
  takeOrders(async (order) => ({ ...(await runSeed(order)), cells: takeCells(), coreLines: takeLines() }));
else if (values.week) await week(wholeNumber('seed', values.seed ?? '1', 0));
else if (values.scenario !== undefined) await story(values.scenario, wholeNumber('seed', values.seed ?? '1', 0));
else if (values.seed !== undefined) await one(wholeNumber('seed', values.seed, 0));
else
  await many(
    wholeNumber('seeds', values.seeds ?? '100', 1),
    values.from === undefined ? Math.floor(Math.random() * 1_000_000) : wholeNumber('from', values.from, 0),
  );
