// docs/walk.md is the tour, and each file on it says in its header which step it is. A broken chain misleads a newcomer.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { productSources, root } from './sources.ts';

const header = /^\/\/ Walk (\d+)\/15: /m;

/** Step -> files, from the table rows `| 9 | `server/src/replica.ts` | ... |`. */
function stepsOf(page: string): Map<string, string> {
  const steps = new Map<string, string>();
  for (const [, number = '', files = ''] of page.matchAll(/^\| (\d+) \| ([^|]+) \|/gm)) {
    for (const [, file = ''] of files.matchAll(/`([^`]+)`/g)) steps.set(`packages/${file}`, number);
  }
  return steps;
}

function faultsOf(page: string, sources: readonly { file: string; text: string }[]): string[] {
  const steps = stepsOf(page);
  const faults: string[] = [];
  const numbers = new Set(steps.values());
  for (let number = 1; number <= 15; number += 1)
    if (!numbers.has(String(number))) faults.push(`docs/walk.md has no step ${number}`);
  for (const [file, number] of steps) {
    const source = sources.find((candidate) => candidate.file === file);
    if (source === undefined) faults.push(`step ${number}: ${file} does not exist`);
    else if (header.exec(source.text)?.[1] !== number) faults.push(`${file} does not say that it is step ${number}`);
  }
  for (const { file, text } of sources)
    if (header.test(text) && !steps.has(file))
      faults.push(`${file} says that it is on the walk, docs/walk.md does not`);
  return faults;
}

const page = readFileSync(`${root}/docs/walk.md`, 'utf8');

test('the walk is whole: every step has its file, every file says its step', () => {
  expect(faultsOf(page, productSources())).toEqual([]);
});

test.each([
  [
    'a step is missing',
    page.replace(/^\| 7 \|.*$/m, ''),
    (sources: readonly { file: string; text: string }[]) => sources,
  ],
  [
    'a header is missing',
    page,
    (sources: readonly { file: string; text: string }[]) =>
      sources.map((source) => ({ ...source, text: source.text.replace('// Walk 9/15', '//') })),
  ],
  [
    'a file is gone',
    page,
    (sources: readonly { file: string; text: string }[]) => sources.filter(({ text }) => !text.includes('Walk 10/15')),
  ],
])('it is refused when %s', (_, text, change) => {
  expect(faultsOf(text, change(productSources())).length).toBeGreaterThan(0);
});
