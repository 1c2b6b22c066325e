import { expect, test } from 'vitest';
import { firstMeta } from './rows/meta-row.ts';
import { nextStateHash } from './state-hash.ts';
import type { Effect } from './store.ts';

const row = (key: string, value: string | undefined): [string, Effect] => [
  key,
  { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) },
];
const rows = new Map([row('a', '....crc1'), row('b', '....crc2'), row('c', undefined)]);
const hash = (changed: ReadonlyMap<string, Effect>, meta = firstMeta): string =>
  nextStateHash(meta, changed).toString('hex');

test('the order in which rows were changed does not count', () => {
  expect(hash(new Map([...rows].toReversed()))).toBe(hash(rows));
});

test.each([
  ['another value', new Map([...rows, row('a', '....crc9')])],
  ['another key', new Map([...rows, row('d', '....crc9')])],
  ['a row less', new Map([...rows].slice(1))],
  ['a delete instead of a put', new Map([...rows, row('a', undefined)])],
  ['a put instead of a delete', new Map([...rows, row('c', '\0\0\0\0')])],
])('%s is another hash', (_what, changed) => {
  expect(hash(changed)).not.toBe(hash(rows));
});

test.each([
  'appliedIndex',
  'appliedTerm',
  'clockMs',
  'seq',
  'beginTerm',
  'releaseFromMs',
  'horizonSeq',
  'nextTopic',
] as const)('another %s is another hash', (field) => {
  expect(hash(rows, { ...firstMeta, [field]: firstMeta[field] + 1 })).not.toBe(hash(rows));
});

test('what went before counts', () => {
  expect(hash(rows, { ...firstMeta, stateHash: Buffer.alloc(20, 1) })).not.toBe(hash(rows));
});
