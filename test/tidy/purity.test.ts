// The core and apply decide from their inputs alone. These words would let something else in.
import { expect, test } from 'vitest';
import { productSources, withoutCommentsAndStrings } from './sources.ts';

const pure =
  /^packages\/(?:raft\/src\/core|store\/src\/(?:apply|rows|codec))\/|^packages\/store\/src\/(?:apply|fate|position|stamp)\.ts$/;
const forbidden =
  /\b(?:Date|globalThis|global|Promise|async|await|process|setTimeout|setInterval|setImmediate|queueMicrotask|performance|Intl|toLocale\w*|localeCompare|crypto|fetch|require|WeakRef|FinalizationRegistry)\b|\bMath\s*(?:\.\s*random|\[)/g;

const faultsOf = (file: string, text: string) =>
  [...withoutCommentsAndStrings(text).matchAll(forbidden)].map(([word]) => `${file}: ${word}`);

test('the core and apply contain no word that reaches a clock, chance, the machine or a promise', () => {
  const sources = productSources().filter(({ file }) => pure.test(file));
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.flatMap(({ file, text }) => faultsOf(file, text))).toEqual([]);
});

test.each([
  'const t = Date.now();',
  'const t = globalThis.Date;',
  'type T = Promise<void>;',
  'async function f() {}',
  'const r = Math.random();',
  "const r = Math['random']();",
  'const p = process.env;',
  'new Intl.Collator();',
  'a.localeCompare(b);',
  'queueMicrotask(f);',
])('`%s` is refused', (text) => {
  expect(faultsOf('x', text).length).toBeGreaterThan(0);
});

test('comments and strings are not words of the program', () => {
  expect(faultsOf('x', "// a Date\n/* Promise */ const s = 'Math.random';")).toEqual([]);
});
