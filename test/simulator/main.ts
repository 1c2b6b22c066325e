// npm run sim -- --seeds 200            so many seeds from a random base, on two processes
// npm run sim -- --seed 17 --trace      one of them, with every line
// npm run sim -- --scenario test/scenarios/sleeping-leader.txt [--seed 3] [--trace]
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ProfileName, profileNames, profileOfSeed } from './profile.ts';
import { runSeed, type SeedResult } from './run-seed.ts';
import { tell } from './scenario.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    profile: { type: 'string' },
    trace: { type: 'boolean', default: false },
    workers: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
  },
});

const wanted = profileNames.find((name) => name === values.profile);
if (values.profile !== undefined && wanted === undefined)
  throw new Error(`there is no profile ${values.profile}; there are ${profileNames.join(', ')}`);
const profileFor = (seed: number): ProfileName => wanted ?? profileOfSeed(seed);
const command = (result: SeedResult): string =>
  `npm run sim -- --seed ${result.seed}${wanted === undefined ? '' : ` --profile ${wanted}`} --trace`;

function print(result: SeedResult): void {
  for (const violation of result.violations) console.log(`seed ${result.seed} (${result.profile.name}): ${violation}`);
  if (result.violations.length > 0) console.log(`    ${command(result)}`);
}

async function one(seed: number): Promise<void> {
  const result = await runSeed({
    seed,
    profile: profileFor(seed),
    print: values.trace ? (line) => console.log(line) : undefined,
  });
  print(result);
  console.log(
    `seed ${seed} (${result.profile.name}): ${result.violations.length} violations, trace ${result.traceHash}, ${(result.simulatedMs / 1_000).toFixed(0)} s simulated, ${result.events} events`,
  );
  console.log(JSON.stringify(result.reached));
  process.exitCode = result.violations.length > 0 ? 1 : 0;
}

/** A child: runs the seeds that it is told, one after the other. */
function work(): void {
  process.on('message', (seed: number) => {
    void runSeed({ seed, profile: profileFor(seed) }).then((result) => process.send?.(result));
  });
  process.send?.('ready');
}

async function many(count: number, from: number): Promise<void> {
  const startedMs = performance.now();
  const reached: Record<string, number> = {};
  const checksMs: Record<string, number> = {};
  let next = from;
  let simulatedMs = 0;
  let failed = 0;
  const take = (result: SeedResult): void => {
    print(result);
    simulatedMs += result.simulatedMs;
    if (result.violations.length > 0) failed++;
    for (const [name, n] of Object.entries(result.reached)) reached[name] = (reached[name] ?? 0) + n;
    for (const [name, ms] of Object.entries(result.checksMs)) checksMs[name] = (checksMs[name] ?? 0) + ms;
  };
  const workers = Number(values.workers ?? Math.min(2, availableParallelism()));
  await Promise.all(
    Array.from(
      { length: workers },
      () =>
        new Promise<void>((resolve, reject) => {
          const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
            env: { ...process.env, HOLDFAST_SIMULATOR_WORKER: '1' },
          });
          child.on('message', (message: SeedResult | 'ready') => {
            if (message !== 'ready') take(message);
            if (next < from + count) child.send(next++);
            else child.disconnect();
          });
          child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
        }),
    ),
  );
  const realMs = performance.now() - startedMs;
  console.log(`${count} seeds from ${from}: ${count - failed} passed, ${failed} failed`);
  console.log(
    `${(simulatedMs / 3_600_000).toFixed(2)} h simulated in ${(realMs / 60_000).toFixed(2)} min: ${(simulatedMs / 3_600_000 / (realMs / 60_000)).toFixed(2)} h a minute`,
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
  process.exitCode = failed > 0 ? 1 : 0;
}

async function story(file: string, seed: number): Promise<void> {
  const faults = await tell(readFileSync(file, 'utf8'), seed, values.trace ? (line) => console.log(line) : undefined);
  for (const fault of faults) console.log(fault);
  console.log(`${file} with seed ${seed}: ${faults.length === 0 ? 'as told' : 'not as told'}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

/** For the audit of guards: one seed after the other, until one fails. */
async function hunt(count: number, from: number): Promise<void> {
  for (let seed = from; seed < from + count; seed++) {
    const result = await runSeed({ seed, profile: profileFor(seed) });
    const [violation] = result.violations;
    if (violation === undefined) continue;
    console.log(JSON.stringify({ seeds: seed - from + 1, seed, violation }));
    process.exit(0);
  }
  console.log(JSON.stringify({ seeds: count }));
}

if (process.env['HOLDFAST_SIMULATOR_WORKER'] === '1') work();
else if (values.scenario !== undefined) await story(values.scenario, Number(values.seed ?? 1));
else if (values.seed !== undefined) await one(Number(values.seed));
else if (values['until-failure']) await hunt(Number(values.seeds ?? 100), Number(values.from ?? 1));
else
  await many(
    Number(values.seeds ?? 100),
    values.from === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.from),
  );
