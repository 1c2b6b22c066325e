import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Compaction, defaultRetention } from './compaction.ts';

/** A log from `firstIndex` on, whose entries have these bytes. */
function logOf(firstIndex: number, bytes: readonly number[]) {
  const logBytes = bytes.reduce((sum, each) => sum + each, 0);
  return { firstIndex, logBytes, entryBytes: (index: number) => bytes[index - firstIndex] ?? 0 };
}

const everything = { retainBytes: 0, retainEntries: 0, catchUpBytes: 0 };

test('by default little logs are kept whole', () => {
  const log = logOf(1, Array(10_000).fill(1_000));
  expect(new Compaction(log, defaultRetention).next(10_000, Number.POSITIVE_INFINITY)).toBeUndefined();
});

test('as much goes as is above the bytes, or above the entries', () => {
  const log = logOf(5, Array(100).fill(10));
  const first = (retention: Partial<typeof everything>): number | undefined =>
    new Compaction(log, { ...everything, retainBytes: 10_000, retainEntries: 10_000, ...retention }).next(
      104,
      Number.POSITIVE_INFINITY,
    );
  expect(first({})).toBeUndefined();
  expect(first({ retainBytes: 300 })).toBe(75);
  expect(first({ retainBytes: 295 })).toBe(76);
  expect(first({ retainEntries: 20 })).toBe(85);
});

test('[P4] nothing behind the applied index ever goes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 28, max: 90 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(60),
      (bytes, begin, ahead) => {
        const applied = Math.min(begin - 1 + ahead, begin + bytes.length - 1);
        const first = new Compaction(logOf(begin, bytes), everything).next(applied, Number.POSITIVE_INFINITY) ?? begin;
        expect(first).toBe(applied + 1);
      },
    ),
  );
});

test('what somebody who catches up needs stays, until the log is too large', () => {
  const log = logOf(1, Array(100).fill(10));
  const retention = { retainBytes: 100, retainEntries: 1_000, catchUpBytes: 700 };
  expect(new Compaction(log, retention).next(100, 41)).toBe(41);
  expect(new Compaction(log, retention).next(100, 11)).toBe(31);
  expect(new Compaction(log, { ...retention, catchUpBytes: 10_000 }).next(100, 11)).toBe(11);
});

test('one turn compacts a bounded number of entries, and they are counted', () => {
  const bytes: readonly number[] = Array(2_000).fill(1);
  const compaction = new Compaction(logOf(1, bytes), everything);
  expect(compaction.next(2_000, Number.POSITIVE_INFINITY)).toBe(513);
  expect(compaction.compacted).toBe(512);
  const large = logOf(1, Array(100).fill(2 ** 20));
  expect(new Compaction(large, everything).next(100, Number.POSITIVE_INFINITY)).toBe(9);
});
