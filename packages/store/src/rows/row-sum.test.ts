import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeMark } from './ended-row.ts';
import { Keyspace, type Table, tableOffset, tables } from './keyspace.ts';
import { blankRow, moveRow, type Row, sealRow } from './row.ts';
import { RowSum } from './row-sum.ts';

const keys = new Keyspace(1);
const tableRow = (table: Table, key: Uint8Array, body: Uint8Array, generation = 1): Row => {
  const row = blankRow(new Keyspace(generation).withHead(Buffer.of(tables[table], ...key)), body.length);
  row.value.set(body);
  return sealRow(row);
};
const hold = (key: string, body: string): Row => tableRow('hold', Buffer.from(key), Buffer.from(body));
const sumOf = (...rows: readonly Row[]): string => {
  const sum = new RowSum();
  for (const row of rows) sum.add(row.key, row.value);
  return sum.bytes().toString('hex');
};
const nothing = '0'.repeat(32);
const anyRow = fc
  .tuple(fc.constantFrom<Table>('topic', 'hold', 'message', 'ended'), fc.uint8Array(), fc.uint8Array())
  .map(([table, key, body]) => tableRow(table, key, body));

test('sums stand in data directories: another value is another format', () => {
  expect(sumOf(hold('a hold, a little longer', 'what it says'))).toBe('b3dfaf05ebdafad3f7b5849647e681f1');
  expect(sumOf(hold('', ''), tableRow('message', Buffer.alloc(20, 3), Buffer.alloc(50)))).toBe(
    'ed48a8fa35fa1d28c0d2a484c6b81c84',
  );
});

test('the order in which rows came does not count, and what was subtracted is as if it had never been there', () => {
  fc.assert(
    fc.property(fc.array(anyRow), fc.array(anyRow), (stay, go) => {
      const sum = new RowSum();
      for (const { key, value } of [...go, ...stay]) sum.add(key, value);
      for (const { key, value } of go.toReversed()) sum.subtract(key, value);
      expect(sum.bytes().toString('hex')).toBe(sumOf(...stay.toReversed()));
      expect(RowSum.from(sum.bytes()).bytes()).toEqual(sum.bytes());
    }),
  );
});

test('the generation in which a row stands does not count', () => {
  const row = hold('key', 'value');
  const other = moveRow(new Keyspace(77).withHead(row.key.subarray(tableOffset)), row.value);
  expect(other.value).not.toEqual(row.value);
  expect(sumOf(other)).toBe(sumOf(row));
});

test.each([
  ['another value', hold('key', 'valuf')],
  ['another key', hold('kez', 'value')],
  ['a shorter value', hold('key', 'valu')],
  ['a value with a zero behind it', hold('key', 'value\0')],
  ['a key with a zero behind it', hold('key\0', 'value')],
  ['what moved from the key to the value', hold('ke', 'yvalue')],
  ['another table', tableRow('topic', Buffer.from('key'), Buffer.from('value'))],
])('%s is another sum', (_what, row) => {
  expect(sumOf(row)).not.toBe(sumOf(hold('key', 'value')));
});

test('two rows that changed their values with each other are another sum', () => {
  expect(sumOf(hold('a', '1'), hold('b', '2'))).not.toBe(sumOf(hold('a', '2'), hold('b', '1')));
});

test('every bit of key and value moves about half of the bits', () => {
  const row = tableRow('hold', Buffer.alloc(20, 9), Buffer.alloc(50, 4));
  const bytes = Buffer.concat([row.key.subarray(tableOffset + 1), row.value.subarray(0, 50)]);
  const before = BigInt(`0x${sumOf(row)}`);
  const moved: number[] = [];
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const after = BigInt(`0x${sumOf(tableRow('hold', flipped.subarray(0, 20), flipped.subarray(20)))}`);
    moved.push((before ^ after).toString(2).replaceAll('0', '').length);
  }
  expect(moved).toHaveLength(560);
  expect(Math.min(...moved)).toBeGreaterThan(35);
  expect(Math.max(...moved)).toBeLessThan(93);
  const mean = moved.reduce((sum, bits) => sum + bits, 0) / moved.length;
  expect(Math.abs(mean - 64)).toBeLessThan(1);
});

test('a hundred thousand rows whose keys follow each other have lanes that are all different', () => {
  const seen = Array.from({ length: 4 }, () => new Set<string>());
  for (let seq = 0; seq < 100_000; seq += 1) {
    const sum = sumOf(encodeMark(keys.ofTopic('message', 1, { fireAtMs: 1_700_000_000_000, seq })));
    for (const [lane, words] of seen.entries()) words.add(sum.slice(8 * lane, 8 * lane + 8));
  }
  // Of 10^5 words of 32 bits 1.2 pairs are alike by chance.
  for (const words of seen) expect(words.size).toBeGreaterThan(99_985);
});

test('a row that never changes under its key counts by its key, and need not be read to be subtracted', () => {
  const position = { fireAtMs: 5, seq: 6 };
  for (const key of [
    keys.ofTopic('message', 1, position),
    keys.ofGroup('retry', 1, 2, position),
    keys.answerTime(5, 1, 'key'),
    keys.endedTime(5, 1, position),
  ]) {
    const sum = new RowSum();
    sum.add(key, encodeMark(key).value);
    expect(sum.bytes().toString('hex')).not.toBe(nothing);
    sum.subtract(key, undefined);
    expect(sum.bytes().toString('hex')).toBe(nothing);
  }
  const held = hold('key', 'value').key;
  expect(() => new RowSum().subtract(held, undefined)).toThrow('leaves the sum, and was not read');
});

test('the meta row, which holds the sum, and the fence are not counted', () => {
  expect(sumOf(encodeMark(keys.single('meta')), encodeMark(keys.single('fence')))).toBe(nothing);
});
