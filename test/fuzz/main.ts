// npm run fuzz -- --cases 1000000 --seed 7     so many cases over all codecs and oracles
// npm run fuzz -- --seed 7 --from 4711 --cases 1     one of them again
import { commandLine, seedOf, wholeNumber } from '../command-line.ts';
import { fuzz, targets } from './run.ts';

const { values } = commandLine({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const seed = seedOf(values.seed);
const from = wholeNumber('from', values.from, 0);
const cases = wholeNumber('cases', values.cases, 1);
const startedMs = performance.now();
const { counts, faults } = fuzz({ seed, from, cases, targets });
const seconds = (performance.now() - startedMs) / 1_000;

console.log(['', 'agreed', 'refused', 'accepted', 'faults'].map((name, at) => cell(name, at)).join(''));
for (const [name, { agreed, refused, accepted, fault }] of counts)
  console.log([name, agreed, refused, accepted, fault].map(cell).join(''));
for (const { target, at, says } of faults) {
  console.log(`${target}: ${says}`);
  console.log(`    npm run fuzz -- --seed ${seed} --from ${at} --cases 1`);
}
const found = [...counts.values()].reduce((sum, { fault }) => sum + fault, 0);
console.log(`seed ${seed}: ${cases} cases of ${targets.length} kinds in ${seconds.toFixed(1)} s, ${found} faults`);
process.exitCode = found > 0 ? 1 : 0;

function cell(value: string | number, at: number): string {
  return at === 0 ? String(value).padEnd(28) : String(value).padStart(10);
}
