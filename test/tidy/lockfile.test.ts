// For very recent releases of packages with a binary per platform a lock file may lack some platforms, and then the next
// `npm ci` elsewhere fails (EUSAGE). Every optional dependency that is named must have an entry.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from './sources.ts';

interface Entry {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type Packages = Readonly<Record<string, Entry>>;

function missingFrom(packages: Packages): string[] {
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) =>
          packages[`${path}/node_modules/${name}`] === undefined && packages[`node_modules/${name}`] === undefined,
      )
      .map((name) => `${path}: ${name}`),
  );
}
const hostsIn = (packages: Packages) =>
  Object.entries(packages).filter(([, { resolved, link }]) => link !== true && resolved !== undefined);

const packages: Packages = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8')).packages;

test('every optional dependency that the lock file names has an entry', () => {
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(missingFrom(packages)).toEqual([]);
});

test('the lock file names no registry: any mirror serves it', () => {
  expect(hostsIn(packages)).toEqual([]);
});

test('a lock file without one platform, or with a host, is refused', () => {
  expect(
    missingFrom({
      'node_modules/a': { optionalDependencies: { 'a-linux': '1', 'a-darwin': '1' } },
      'node_modules/a-linux': {},
    }),
  ).toEqual(['node_modules/a: a-darwin']);
  expect(hostsIn({ 'node_modules/a': { resolved: 'https://example.org/a.tgz' } })).toHaveLength(1);
});
