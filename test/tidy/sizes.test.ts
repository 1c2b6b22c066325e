// A file is one idea. Longer is a reminder at 300 lines and a failure at 400; the exceptions name their reason.
import { expect, test } from 'vitest';
import { filesBelow, productSources, type Source } from './sources.ts';

/** file -> why it may be longer. Starts empty, and ought to stay so. */
const reasons: Readonly<Record<string, string>> = {};

interface Limit {
  readonly what: string;
  readonly of: readonly Source[];
  readonly remindAbove: number;
  readonly failAbove: number;
}

const linesOf = (text: string) => text.replace(/\n$/, '').split('\n').length;
const tooLong = (sources: readonly Source[], above: number) =>
  sources
    .filter(({ file, text }) => linesOf(text) > above && reasons[file] === undefined)
    .map(({ file, text }) => `${file}: ${linesOf(text)} lines`);

const limits = (): readonly Limit[] => {
  const tests = [...filesBelow('packages', /\.test\.ts$/), ...filesBelow('test', /\.test\.ts$/)];
  return [
    { what: 'product files', of: productSources(), remindAbove: 300, failAbove: 400 },
    {
      what: 'package entries',
      of: productSources().filter(({ file }) => /^packages\/\w+\/src\/index\.ts$/.test(file)),
      remindAbove: 60,
      failAbove: 60,
    },
    { what: 'test files', of: tests, remindAbove: 500, failAbove: 500 },
    { what: 'test programs', of: filesBelow('test', /(?<!\.test)\.ts$/), remindAbove: 300, failAbove: 400 },
    { what: 'pages', of: filesBelow('docs', /\.md$/), remindAbove: 200, failAbove: 200 },
  ];
};

test('no file is longer than its kind allows', () => {
  for (const { what, of, remindAbove, failAbove } of limits()) {
    expect(of.length, what).toBeGreaterThan(3);
    const long = tooLong(of, remindAbove);
    if (long.length > 0) console.warn(`${what} over ${remindAbove} lines:\n  ${long.join('\n  ')}`);
    expect(tooLong(of, failAbove), what).toEqual([]);
  }
});

test('no folder holds more than 16 sources', () => {
  const folders = new Map<string, number>();
  for (const { file } of productSources()) {
    const folder = file.slice(0, file.lastIndexOf('/'));
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  expect([...folders].filter(([, count]) => count > 16)).toEqual([]);
});

test('a file of 401 lines is refused', () => {
  expect(tooLong([{ file: 'packages/x/src/x.ts', text: 'x\n'.repeat(401) }], 400)).toEqual([
    'packages/x/src/x.ts: 401 lines',
  ]);
  expect(tooLong([{ file: 'packages/x/src/x.ts', text: 'x\n'.repeat(400) }], 400)).toEqual([]);
});
