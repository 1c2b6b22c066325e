// All packages carry one version, and the places that say it say the same.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { productSources, root } from './sources.ts';

const read = (file: string): { version: string } => JSON.parse(readFileSync(join(root, file), 'utf8'));

test('every package, and every source that says a version, says the same one', () => {
  const { version } = read('package.json');
  for (const folder of readdirSync(join(root, 'packages')))
    expect(read(`packages/${folder}/package.json`).version).toBe(version);
  const said = productSources().flatMap(({ text }) =>
    [...text.matchAll(/^const version = '([^']+)';$/gm)].map(([, one]) => one),
  );
  expect(said).toEqual([version, version]);
});
