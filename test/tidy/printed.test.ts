import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { printedPages } from './printed.ts';
import { root } from './sources.ts';

test.each(Object.entries(printedPages))('%s is what its table prints', (file, print) => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(print());
});
