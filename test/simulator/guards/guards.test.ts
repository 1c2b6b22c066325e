// Whether the simulator notices is seen by `npm run mutants`; that every guard can still be taken out is seen here.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { takeOut } from './guard.ts';
import { guards } from './index.ts';

test.each(guards)('$name can be taken out', (guard) => {
  expect(guard.changes.length).toBeGreaterThan(0);
  const changes = [...(guard.settings ?? []), ...guard.changes];
  for (const file of new Set(changes.map((change) => change.file))) {
    const source = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect(takeOut({ name: guard.name, changes }, file, source)).not.toBe(source);
  }
});

test('each guard has a name of its own, and a change of its own', () => {
  expect(new Set(guards.map(({ name }) => name)).size).toBe(guards.length);
  expect(new Set(guards.map(({ changes }) => JSON.stringify(changes))).size).toBe(guards.length);
});

test('a line that moved, or that is there twice, is said', () => {
  const guard = { name: 'g', changes: [{ file: 'a.ts', text: 'x;', instead: '' }] };
  expect(takeOut(guard, 'a.ts', 'x; y;')).toBe(' y;');
  expect(() => takeOut(guard, 'a.ts', 'y;')).toThrow('g: a.ts does not hold exactly once: x;');
  expect(() => takeOut(guard, 'a.ts', 'x; x;')).toThrow('exactly once');
  expect(takeOut(guard, 'b.ts', 'y;')).toBe('y;');
});
