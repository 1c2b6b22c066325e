import { expect, test } from 'vitest';
import { encodeEntry } from './entry.ts';
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
