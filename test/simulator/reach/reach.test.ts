import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CellTally } from './cells.ts';
import { counted } from './cells-hook.ts';
import { LineTally, linesRun } from './lines.ts';

test('the table of roles and events is written so that its cells can be counted', () => {
  const source = readFileSync('packages/raft/src/core/role.ts', 'utf8');
  expect(counted(source).split('counts.set(')).toHaveLength(2);
  expect(() => counted(source.replace('cell(raft, own, event)', 'cell(raft)'))).toThrow('exactly once');
});

test('a cell is reached when any process reached it, and an impossible one is none of those to be reached', () => {
  const tally = new CellTally();
  expect(tally.says()).toEqual([]);
  tally.add({ 'leader tick': 0, 'leader stop': 0, 'leader heartbeat': -1 });
  tally.add({ 'leader tick': 4, 'leader stop': 0, 'leader heartbeat': -1 });
  expect(tally.says()[0]).toContain('1 of 2 cells were reached; not: leader stop (1 are impossible)');
});

test('a line was run when one of its parts was; what is inside counts more', () => {
  const source = 'f();\n\nfunction f() {\n  // a reason\n  if (x)\n    return 1;\n  return 2;\n}\n';
  const inner = source.indexOf('return 1');
  const ranges = [
    { startOffset: 0, endOffset: source.length, count: 1 },
    { startOffset: inner, endOffset: inner + 9, count: 0 },
  ];
  const lines = linesRun(source, ranges).map(({ line, wasRun }) => [line, wasRun]);
  expect(lines).toEqual([
    [0, true],
    [2, true],
    [4, true],
    [5, false],
    [6, true],
  ]);
});

test('lines of several processes come together', () => {
  const tally = new LineTally();
  tally.add({ 'src/core/role.ts': { 1: true, 2: false, 3: false } });
  tally.add({ 'src/core/role.ts': { 1: false, 2: true, 3: false } });
  const [share, missed] = tally.says('packages/raft');
  expect(share).toContain('2 of 3 were run, 66.7 %');
  expect(missed).toContain('src/core/role.ts:3');
});
