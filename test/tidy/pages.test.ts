// Pages name files; a file that was moved or renamed leaves a page behind that misleads.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './sources.ts';

/** Where a short path of a page begins, if the page says so. */
const bases: Readonly<Record<string, string>> = {
  'docs/architecture.md': 'packages/server/src',
  'docs/divergence.md': 'packages/raft/src',
  'docs/walk.md': 'packages',
};

const pages = [
  'README.md',
  'packages/raft/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

/** Paths in code font that end like a file of the project, and links that lead to no other site. */
function missingIn(page: string, text: string): readonly string[] {
  const base = bases[page] ?? dirname(page);
  const named = [...text.matchAll(/`([\w@./-]+\/[\w.-]+\.(?:ts|md|txt|tsx))`/g)].map(([, path = '']) => path);
  const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
  return [
    ...named.filter((path) => ![join(root, path), join(root, base, path)].some((at) => existsSync(at))),
    ...linked.filter((path) => !existsSync(join(root, dirname(page), path))),
  ];
}

test.each(pages)('every file that %s names is there', (page) => {
  expect(missingIn(page, readFileSync(join(root, page), 'utf8'))).toEqual([]);
});

test('a page that names a file which is not there is found', () => {
  expect(missingIn('docs/walk.md', 'see `packages/raft/src/nowhere.ts` and [this](nothing.md)')).toHaveLength(2);
  expect(missingIn('docs/walk.md', 'see `packages/raft/src/index.ts` and [this](promises.md)')).toEqual([]);
});
