// A lint setting that looks right may do nothing. Each rule that the house relies on refuses a text here.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const refused: Readonly<Record<string, string>> = {
  'typescript(no-explicit-any)': 'export const x: any = 1;',
  'typescript(no-non-null-assertion)': 'export const f = (x: string | undefined) => x!;',
  'typescript(no-floating-promises)': 'export function f(): void {\n  Promise.resolve(1);\n}',
  'typescript(switch-exhaustiveness-check)':
    "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}",
  'typescript(consistent-type-imports)':
    "import { Shape } from './shape.ts';\nexport const f = (x: Shape): Shape => x;",
  'eslint(max-lines-per-function)': `export function f(): number {\n  let x = 0;\n${'  x += 1;\n'.repeat(61)}  return x;\n}`,
  'eslint(no-unused-vars)': 'const x = 1;\nexport {};',
};

test('every rule of the lint configuration that the house relies on is seen to refuse', () => {
  cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  writeFileSync(join(folder, 'shape.ts'), 'export interface Shape {\n  x: number;\n}\n');
  const files = Object.entries(refused).map(([rule, text], at) => {
    writeFileSync(join(folder, `case-${at}.ts`), `${text}\n`);
    return { rule, file: `case-${at}.ts` };
  });
  const names = files.map(({ file }) => file);
  const run = spawnSync(
    join(root, 'node_modules/.bin/oxlint'),
    ['--type-aware', '--format=unix', '-c', '.oxlintrc.json', ...names],
    { cwd: folder, encoding: 'utf8' },
  );
  const lines = run.stdout.split('\n');
  const silent = files.filter(({ rule, file }) => !lines.some((line) => line.includes(file) && line.includes(rule)));
  expect(silent, run.stdout).toEqual([]);
});
