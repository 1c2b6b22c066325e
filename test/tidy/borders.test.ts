// Which package may know which. The table below IS the architecture: docs/architecture.md shows the same arrows.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, productSources, root } from './sources.ts';

const mayKnow: Readonly<Record<string, readonly string[]>> = {
  api: [],
  raft: [],
  store: [],
  scheduler: ['store'],
  client: ['api'],
  server: ['api', 'raft', 'store', 'scheduler'],
  holdfast: ['client', 'server', 'api'],
};
const standsAlone = ['packages/raft/src/core/'];
/** Of a node that runs, and of a directory on which none does. */
const theJoins = ['packages/server/src/replica.ts', 'packages/server/src/backup/stopped.ts'];
const specifier = /(?:^|[^\w.])(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/gm;
const valuesOf = (name: string) => new RegExp(`^import (?!type )[^;]*?from '@holdfast/${name}'`, 'm');

function faultsOf(file: string, text: string): string[] {
  const from = file.split('/')[1] ?? '';
  const alone = standsAlone.find((folder) => file.startsWith(folder));
  const faults = [...text.matchAll(specifier)].flatMap(([, to = '']) => {
    const target = to.startsWith('.') ? posix.join(posix.dirname(file), to) : to;
    if (alone !== undefined && !target.startsWith(alone)) return [`${file} stands alone, but imports ${to}`];
    if (to.startsWith('.') && !target.startsWith(`packages/${from}/`))
      return [`${file} reaches into another package: ${to}`];
    const [, ours = '', deeper = ''] = /^(?:@holdfast\/)([\w-]+)(\/.*)?$/.exec(to) ?? [];
    if (ours === '' || (ours === from && deeper === '')) return [];
    if (!mayKnow[from]?.includes(ours)) return [`${file}: ${from} may not know ${ours}`];
    return deeper === '' ? [] : [`${file} imports from inside ${ours}: ${to}`];
  });
  if (!theJoins.includes(file) && valuesOf('raft').test(text) && valuesOf('store').test(text))
    faults.push(`${file} joins raft and store; only ${theJoins.join(' and ')} may`);
  return faults;
}

test('every import stays inside the borders', () => {
  const sources = productSources();
  expect(sources.length).toBeGreaterThan(60);
  expect(sources.flatMap(({ file, text }) => faultsOf(file, text))).toEqual([]);
});

test.each([
  ['packages/raft/src/index.ts', `import { apply } from '@holdfast/store';`],
  ['packages/raft/src/core/vote.ts', `import { readFileSync } from 'node:fs';`],
  ['packages/raft/src/core/vote.ts', `export { d } from '../driver/d.ts';`],
  ['packages/raft/src/core/vote.ts', `const lazy = () => import('../driver/d.ts');`],
  ['packages/raft/src/core/vote.ts', `type D = import('../driver/d.ts').D;`],
  ['packages/store/src/index.ts', `import '@holdfast/scheduler';`],
  ['packages/client/src/index.ts', `import { type X, y } from '@holdfast/server';`],
  ['packages/server/src/node.ts', `import { x } from '@holdfast/raft/conformance';`],
  ['packages/server/src/node.ts', `import { x } from '../../raft/src/core/core.ts';`],
  ['packages/server/src/node.ts', `import { x } from '@holdfast/raft';\nimport { y } from '@holdfast/store';`],
])('%s with `%s` is refused', (file, text) => {
  expect(faultsOf(file, text)).toHaveLength(1);
});

test('each package.json declares exactly the packages of ours that the table allows', () => {
  for (const [name, allowed] of Object.entries(mayKnow)) {
    const declared = Object.keys(
      JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, 'utf8')).dependencies ?? {},
    );
    const ours = declared
      .filter((dependency) => dependency.startsWith('@holdfast/'))
      .map((dependency) => dependency.slice('@holdfast/'.length));
    expect(ours.sort(), name).toEqual([...allowed].sort());
  }
});

test('docs/architecture.md lists the same arrows', () => {
  const text = readFileSync(`${root}/docs/architecture.md`, 'utf8');
  for (const [name, allowed] of Object.entries(mayKnow)) {
    expect(text, name).toContain(
      `| \`${name}\` | ${
        allowed.length === 0
          ? 'nothing of ours'
          : [...allowed]
              .sort()
              .map((to) => `\`${to}\``)
              .join(', ')
      } |`,
    );
  }
});

/** Codecs are nobody's public entry, and are what the fuzzer is about. This file names texts that must be refused. */
const reachIn: readonly string[] = ['test/fuzz/internals.ts', 'test/tidy/borders.test.ts'];

test('tests outside the packages use public entries only', () => {
  const programs = filesBelow('test', /\.ts$/).filter(({ file }) => !reachIn.includes(file));
  const deep = programs.flatMap(({ file, text }) =>
    [...text.matchAll(specifier)]
      .filter(([, to = '']) => /packages\/|^@holdfast\/\w+\/(?!(?:conformance|core)$)/.test(to))
      .map(([, to]) => `${file}: ${to}`),
  );
  expect(deep).toEqual([]);
});
