// The real LevelDB, which hands out rows in small portions.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sweep } from './sweep.ts';

const rowBytes = 1024;
let directory = '';
let database: Level<Uint8Array, Uint8Array>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-sweep-'));
  database = new Level<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function fill(rows: number, valueBytes: number): Promise<void> {
  const batch = database.batch();
  for (let row = 0; row < rows; row++) {
    const key = Buffer.from([2, 0, 0, 0, 1, 0x10, 0, 0, 0, 0]);
    key.writeUInt32BE(row, 6);
    batch.put(key, Buffer.alloc(valueBytes, row));
  }
  await batch.write();
}

async function steps(): Promise<number[]> {
  const sweep = new Sweep(database, 1);
  const counts: number[] = [];
  for (let keys = await sweep.next(); keys !== undefined; keys = await sweep.next()) counts.push(keys.length);
  return counts;
}

test('a step removes about a mebibyte of rows', async () => {
  await fill(4_000, rowBytes);
  const counts = await steps();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4_000);
  expect(counts.length).toBeLessThan(8);
});

test('a step removes about a thousand rows where they are small, and few where they are large', async () => {
  await fill(2_500, 10);
  expect(Math.max(...(await steps()))).toBe(1024);
  await fill(40, 2 ** 18);
  expect(Math.max(...(await steps()).slice(0, 8))).toBeLessThan(10);
});
