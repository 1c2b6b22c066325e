import { expect, test } from 'vitest';
import { decodeEntry, encodeEntry } from './entry.ts';
import { EntryCache } from './entry-cache.ts';

const entry = (index: number, term = 1, size = 72) => encodeEntry(index, term, 'commands', Buffer.alloc(size));

test('the newest entries are held, up to a number of bytes', () => {
  const cache = new EntryCache(300);
  for (let index = 5; index <= 5000; index++) cache.append(entry(index));
  expect(cache.get(4997)).toBeUndefined();
  for (let index = 4998; index <= 5000; index++) expect(cache.get(index)?.index).toBe(index);
  expect(cache.get(5001)).toBeUndefined();
  expect(cache.get(5)).toBeUndefined();
});

test('the newest entry is held, however large it is', () => {
  const cache = new EntryCache(300);
  cache.append(entry(1));
  cache.append(entry(2, 1, 1000));
  expect(cache.get(1)).toBeUndefined();
  expect(cache.get(2)?.index).toBe(2);
});

test('after a truncation the new entries are found, and their bytes are counted once', () => {
  const cache = new EntryCache(300);
  for (let index = 1; index <= 3; index++) cache.append(entry(index));
  cache.truncate(2);
  expect(cache.get(2)).toBeUndefined();
  cache.append(entry(2, 7));
  cache.append(entry(3, 7));
  expect([1, 2, 3].map((index) => cache.get(index)?.term)).toEqual([1, 7, 7]);
  cache.truncate(1);
  expect(cache.get(1)).toBeUndefined();
  cache.append(entry(1, 9));
  expect(cache.get(1)?.term).toBe(9);
});

test('what the log has compacted is given up, and what follows is found', () => {
  const cache = new EntryCache(10_000);
  for (let index = 1; index <= 9; index++) cache.append(entry(index));
  cache.compact(7);
  expect([5, 6, 7, 8, 9].map((index) => cache.get(index)?.index)).toEqual([undefined, undefined, 7, 8, 9]);
  cache.compact(3);
  cache.compact(10);
  expect(cache.get(9)).toBeUndefined();
  cache.append(entry(10));
  expect(cache.get(10)?.index).toBe(10);
});

test('an entry that is held keeps nothing alive but itself, whether it was made here or received', () => {
  const cache = new EntryCache(1_000);
  const frame = Buffer.concat([Buffer.alloc(50_000), entry(2).bytes]);
  cache.append(entry(1));
  cache.append(decodeEntry(frame.subarray(50_000)));
  for (const index of [1, 2]) {
    const held = cache.get(index);
    expect(held).toEqual(entry(index));
    expect(held?.bytes.buffer.byteLength).toBe(100);
    expect(held?.payload.buffer).toBe(held?.bytes.buffer);
  }
});
