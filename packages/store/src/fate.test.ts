import { expect, test } from 'vitest';
import { fateOf } from './fate.ts';

const meta = { clockMs: 1_000, seq: 50, horizonSeq: 10 };
const at = (fireAtMs: number, seq: number) => ({ fireAtMs, seq });

test.each([
  ['a row says it', at(900, 5), true, { kind: 'stopped', attempts: 2, endedAtMs: 7 }, { kind: 'stopped', attempts: 2 }],
  ['no row, issued, due', at(900, 20), true, undefined, { kind: 'delivered' }],
  ['no row, at (clock, seq)', at(1_000, 50), true, undefined, { kind: 'delivered' }],
  ['no row, just above the clock', at(1_001, 20), true, undefined, { kind: 'notFound' }],
  ['no row, a seq that was not issued', at(900, 51), true, undefined, { kind: 'notFound' }],
  ['no row, no seq', at(900, 0), true, undefined, { kind: 'notFound' }],
  ['no row, at the horizon', at(900, 10), true, undefined, { kind: 'forgotten' }],
  ['no row, in a topic that never had a group', at(900, 20), false, undefined, { kind: 'notFound' }],
] as const)('%s', (_what, position, everHadGroup, ended, fate) => {
  expect(fateOf(meta, everHadGroup, position, ended)).toEqual(fate);
});
