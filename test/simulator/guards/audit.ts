// npm run mutants                 takes out one guard after the other, and runs seeds until the simulator fails
// npm run mutants -- --only H3    those whose name contains this; several with commas
// A guard whose removal nobody notices means that the simulator is blind there, and fails the command.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { consensusGuards } from './consensus.ts';
import { deliveryGuards } from './delivery.ts';
import type { Change, Guard } from './guard.ts';
import { viewGuards } from './views.ts';

interface Outcome {
  readonly guard: Guard;
  /** Seeds until the simulator failed; undefined when it never did. */
  readonly seeds: number | undefined;
  readonly says: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    workers: { type: 'string', default: '2' },
    from: { type: 'string', default: '1' },
  },
});
const root = resolve('.');
const folder = join(root, 'test/dist/mutants');
/** One seed takes a second or two; a mutant that hangs is found by this. */
const limitMs = 20 * 60_000;

/** Bundles the simulator with the changed sources. @throws when a text is not there exactly once */
async function build({ name, changes }: Guard): Promise<string> {
  const open = new Set<Change>(changes);
  const file = join(folder, `${name}.mjs`);
  const built = await rolldown({
    input: join(root, 'test/simulator/main.ts'),
    platform: 'node',
    resolve: { conditionNames: ['@holdfast/source', 'node', 'import', 'default'] },
    external: (id: string) => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@holdfast/'),
    plugins: [
      {
        name: 'take-out',
        transform(source: string, path: string) {
          let text = source;
          for (const change of changes) {
            if (path !== join(root, change.file)) continue;
            if (text.split(change.text).length !== 2)
              throw new Error(`${name}: ${change.file} does not hold exactly once: ${change.text}`);
            text = text.replace(change.text, () => change.instead);
            open.delete(change);
          }
          return text;
        },
      },
    ],
  });
  await built.write({ file, format: 'esm' });
  await built.close();
  for (const { file: missing } of open) throw new Error(`${name}: ${missing} is no part of the simulator`);
  return file;
}

/** @returns the last line that it printed, and how it ended */
async function run(args: readonly string[]): Promise<{ readonly last: string; readonly code: number | null }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): boolean => child.kill('SIGKILL');
  process.once('exit', end);
  const timer = setTimeout(end, limitMs);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((done) => child.on('exit', done));
  clearTimeout(timer);
  process.off('exit', end);
  return { last: output.trim().split('\n').at(-1) ?? '', code };
}

async function attack(guard: Guard, unchanged: string): Promise<Outcome> {
  const file = await build(guard);
  const { seeds: most, profile } = guard;
  const { last } = await run([
    file,
    '--until-failure',
    '--seeds',
    String(most),
    '--from',
    values.from,
    '--profile',
    profile,
  ]);
  if (!last.startsWith('{')) return { guard, seeds: undefined, says: `the simulator did not come to an end: ${last}` };
  const { seeds, seed, violation }: { seeds: number; seed?: number; violation?: string } = JSON.parse(last);
  if (violation === undefined) return { guard, seeds: undefined, says: 'nobody noticed' };
  // What fails with the guard in its place was not found by taking it out.
  const { code } = await run([unchanged, '--seed', String(seed), '--profile', profile]);
  return code === 0
    ? { guard, seeds, says: violation }
    : { guard, seeds: undefined, says: `fails unchanged, too: ${violation}` };
}

const wanted = [...deliveryGuards, ...viewGuards, ...consensusGuards].filter(
  ({ name }) => values.only === undefined || values.only.split(',').some((part) => name.includes(part)),
);
process.once('SIGTERM', () => process.exit(1));
process.once('SIGINT', () => process.exit(1));
mkdirSync(folder, { recursive: true });
const unchanged = await build({ name: 'unchanged', rule: '', profile: 'swarm', seeds: 0, changes: [] });
const outcomes: Outcome[] = [];
const queue = [...wanted];
await Promise.all(
  Array.from({ length: Number(values.workers) }, async () => {
    for (let guard = queue.shift(); guard !== undefined; guard = queue.shift()) {
      const outcome = await attack(guard, unchanged).catch(
        (error: unknown): Outcome => ({ guard, seeds: undefined, says: `can not be taken out: ${String(error)}` }),
      );
      outcomes.push(outcome);
      const found = outcome.seeds === undefined ? 'NEVER' : String(outcome.seeds);
      console.log(
        `${found.padStart(5)} of ${String(guard.seeds).padEnd(5)} ${guard.name.padEnd(34)} ${outcome.says.replaceAll(/\s+/g, ' ').slice(0, 150)}`,
      );
    }
  }),
);
const survivors = outcomes.filter(({ seeds }) => seeds === undefined);
console.log(
  `${outcomes.length} guards taken out: ${outcomes.length - survivors.length} noticed, ${survivors.length} not`,
);
for (const { guard } of survivors) console.log(`    ${guard.name}: ${guard.rule}`);
process.exitCode = survivors.length > 0 ? 1 : 0;
