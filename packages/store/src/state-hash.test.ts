import { expect, test } from 'vitest';
import { firstMeta, type Meta } from './rows/meta-row.ts';
import { RowSum } from './rows/row-sum.ts';
import { hashAfter, stateHashOf } from './state-hash.ts';
import type { Effect } from './store.ts';

const row = (key: string, value: string | undefined): [string, Effect] => [
  key,
  { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) },
];
const rows = new Map([row('a', '....crc1'), row('b', '....crc2'), row('c', undefined)]);
const hash = (changed: ReadonlyMap<string, Effect>, meta = firstMeta): string =>
  stateHashOf({ ...meta, hash: hashAfter(meta, changed, undefined) });

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
  const hashBefore = { kind: 'running', bytes: Buffer.alloc(20, 1) } as const;
  expect(hash(rows, { ...firstMeta, hash: hashBefore })).not.toBe(hash(rows));
});

const version2: Meta = { ...firstMeta, activeVersion: 2, hash: { kind: 'rows', sum: Buffer.alloc(16), isWhole: true } };

test('a state whose version was raised before it had a topic is summed as a whole; later, since then', () => {
  const raised = { ...firstMeta, activeVersion: 2 };
  expect(hashAfter(raised, rows, undefined)).toEqual(version2.hash);
  expect(hashAfter({ ...raised, nextTopic: 2 }, rows, undefined)).toEqual({ ...version2.hash, isWhole: false });
});

test.each([
  'appliedIndex',
  'appliedTerm',
  'clockMs',
  'seq',
  'epoch',
  'beginTerm',
  'releaseFromMs',
  'graceMs',
  'horizonSeq',
  'nextTopic',
] as const)('from version 2 on another %s is another hash', (field) => {
  expect(stateHashOf({ ...version2, [field]: firstMeta[field] + 1 })).not.toBe(stateHashOf(version2));
});

test('from version 2 on another sum is another hash', () => {
  const sum = RowSum.from(Buffer.alloc(16, 1));
  const meta = { ...version2, hash: hashAfter(version2, rows, sum) };
  expect(meta.hash).toEqual({ kind: 'rows', sum: sum.bytes(), isWhole: true });
  expect(stateHashOf(meta)).not.toBe(stateHashOf(version2));
});
