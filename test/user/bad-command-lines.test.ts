// What can not be meant is refused with a sentence before anything starts; a run over nothing would pass.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test.each([
  ['bench/main.js', 'failover --how kil', '--how is "kil", but must be one of kill, stop, cut, transfer, all'],
  ['bench/main.js', 'failover --kills many', '--kills is "many", but must be a whole number of 1 or more'],
  ['bench/main.js', 'failover kill', 'usage: npm run bench -- schedule | '],
  ['bench/takeover.js', '--runs 0', '--runs is "0", but must be a whole number of 1 or more'],
  ['chaos/main.js', '--seconds 1m', '--seconds is "1m", but must be a whole number of 1 or more'],
  ['crash-images/main.js', '--names ntfs', '--names is "ntfs", but must be one of linux, posix'],
  ['fuzz/main.js', '--cases 0', '--cases is "0", but must be a whole number of 1 or more'],
  ['fuzz/main.js', '--case 1', "Unknown option '--case'"],
  ['simulator/main.js', '--profile swam', '--profile is "swam", but must be one of '],
  ['simulator/main.js', '--seeds 0', '--seeds is "0", but must be a whole number of 1 or more'],
  ['simulator/main.js', '--workers 0', '--workers is "0", but must be a whole number of 1 or more'],
  ['simulator/main.js', '--scenario none.txt', 'there is no scenario none.txt'],
  ['simulator/guards/audit.js', '--only H3,no-such', 'no guard has "no-such" in its name; there are '],
  ['simulator/guards/audit.js', '--from 1e3', '--from is "1e3", but must be a whole number of 0 or more'],
  ['user/count-deliveries.js', '--expect 0', '--expect is "0", but must be a whole number of 1 or more'],
])('%s %s', (file, line, sentence) => {
  const program = join(import.meta.dirname, '../dist', file);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...line.split(' ')], { encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.slice(0, sentence.length)).toBe(sentence);
});
