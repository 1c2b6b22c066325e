// The scenarios in packages/raft/scenarios: what they say happens is what happens.
// After a change that is meant: UPDATE_SCENARIOS=1 npx vitest run packages/raft/src/core/scenario.test.ts, and read the diff.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Stage } from '../../test/core/stage.ts';

const folder = new URL('../../scenarios/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

test('there are scenarios', () => {
  expect(names.length).toBeGreaterThanOrEqual(12);
});

test.each(names)('%s', (name) => {
  const file = new URL(name, folder);
  const script = readFileSync(file, 'utf8');
  const played = new Stage().play(script);
  if (process.env['UPDATE_SCENARIOS'] === '1') writeFileSync(file, played);
  expect(played).toBe(process.env['UPDATE_SCENARIOS'] === '1' ? played : script);
});

test('a scenario that tells another story fails', () => {
  const [name = ''] = names;
  const script = readFileSync(new URL(name, folder), 'utf8');
  const forged = script.replace(/^ {2}.*$/m, '  nothing happens');
  expect(forged).not.toBe(script);
  expect(new Stage().play(forged)).not.toBe(forged);
});
