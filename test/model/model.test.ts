// The explicit-state models: every rule that is taken out must be missed, and the whole protocol must be clean.
// All runs, the long ones among them: sh test/model/run.sh
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);

test.each([
  ['groups.mjs', [], 2],
  ['groups-and-leaders.mjs', [], 10],
  ['pending.mjs', [], 11],
  ['delivery.mjs', ['holes'], 8],
] as const)('%s %s: %i runs end as expected', async (file, args, runs) => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, file), ...args], { maxBuffer: 2 ** 24 });
  expect(stdout).not.toMatch('UNEXPECTED');
  expect(stdout.match(/^as expected/gm)).toHaveLength(runs);
}, 120_000);
