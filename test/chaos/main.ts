// npm run chaos -- --seconds 300 --seed N: real processes, real sockets, real disks, real kills; a rolling upgrade, and members
// that come and go; the public API only.
import { join } from 'node:path';
import { commandLine, seedOf, wholeNumber } from '../command-line.ts';
import { ascending, ms, percentile } from '../measure/percentiles.ts';
import { checks, lateness } from './check/checks.ts';
import { runChaos } from './run.ts';

const { values } = commandLine({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    history: { type: 'string', default: 'history' },
  },
});
const seed = seedOf(values.seed);
const seconds = wholeNumber('seconds', values.seconds, 1);
const path = join(values.history, `chaos-${seed}.jsonl`);
console.log(`seed ${seed}, ${seconds} s of faults; history: ${path}`);

const startedAtMs = Date.now();
const { history, faults, operations, snapshots } = await runChaos({ seconds, seed, path });
console.log(`faults: ${[...faults].map(([name, count]) => `${name} ${count}`).join(', ')}`);
console.log(
  `operator: ${[...operations].map(([name, count]) => `${name} ${count}`).join(', ')}; snapshots installed ${snapshots}`,
);
const count = (kind: string) => history.filter((event) => event.kind === kind).length;
console.log(
  `scheduled ${count('scheduleInvoked')}, cancels ${count('cancelInvoked')}, gets ${count('looked')}, received ${count('received')}, settled ${count('settleEnded')}`,
);
console.log(`run: ${Math.round((Date.now() - startedAtMs) / 1_000)} s, quiet and drain included`);
let failed = false;
for (const [name, check] of Object.entries(checks)) {
  const startedMs = performance.now();
  const faultsFound = check(history);
  const tookMs = performance.now() - startedMs;
  console.log(`${name}: ${faultsFound.length}${tookMs > 500 ? ` (${(tookMs / 1_000).toFixed(1)} s)` : ''}`);
  for (const fault of faultsFound.slice(0, 5)) console.log(`    ${fault}`);
  failed ||= faultsFound.length > 0;
}
const late = ascending(lateness(history));
console.log(
  `lateness of first deliveries, faults included: p50 ${ms(percentile(late, 0.5))} p99 ${ms(percentile(late, 0.99))} max ${ms(late.at(-1) ?? Number.NaN)} ms`,
);
console.log(
  `history: ${path}, logs of the nodes: ${path}.logs; again with: npm run chaos -- --seconds ${seconds} --seed ${seed}`,
);
if (failed) process.exitCode = 1;
