// The simulated disk loses what a real one may lose, and nothing that was synced.
import { expect, test } from 'vitest';
import { seeded } from '../random.ts';
import { createTrueTime } from './clock.ts';
import { Disk } from './disk.ts';
import { createProcess } from './process.ts';
import { count, get, put, remove, rows, type Tree } from './sorted-map.ts';

const key = (i: number): Uint8Array => Buffer.from(String(i).padStart(4, '0'));

/** Writes rows one after the other, and stops in the middle of the last one. */
async function written(
  seed: number,
  synced: (i: number) => boolean,
): Promise<{ disk: Disk; done: Set<number>; finish: () => Promise<void> }> {
  const time = createTrueTime();
  const disk = new Disk({ time, random: seeded(seed), writeMs: 1, readMs: 0.1 });
  const database = disk.open(createProcess('n1', time));
  const done = new Set<number>();
  const write = (i: number): void => {
    const batch = database.batch();
    batch.put(key(i), Buffer.from('x'));
    const options: { readonly sync: true } = synced(i)
      ? { sync: true }
      : Object.assign({}, { sync: true as const }, { sync: false });
    void batch.write(options).then(() => done.add(i));
  };
  for (let i = 0; i < 20; i++) write(i);
  await time.runUntil(500, () => {});
  write(20);
  return { disk, done, finish: () => time.runUntil(1_000, () => {}) };
}

const there = (disk: Disk): number[] => [...rows(disk.tree)].map(([name]) => Number(name));

test('a synced batch survives every crash; the one under way is there or not', async () => {
  const ends = new Set<boolean>();
  for (let seed = 0; seed < 20; seed++) {
    const { disk, done } = await written(seed, () => true);
    disk.powerLost();
    expect(there(disk).slice(0, 20)).toEqual([...done]);
    ends.add(there(disk).includes(20));
  }
  expect(ends.size).toBe(2);
});

test('a crash of the process alone loses nothing that was written', async () => {
  const { disk } = await written(1, () => false);
  disk.processDied();
  expect(there(disk).slice(0, 20)).toHaveLength(20);
});

test('power lost takes any subset of what was not synced, not only the end', async () => {
  const holes = await Promise.all(
    Array.from({ length: 20 }, async (_, seed) => {
      const { disk } = await written(seed, (i) => i === 4);
      disk.powerLost();
      const left = there(disk);
      expect(left.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
      return left.some((i, at) => i !== at);
    }),
  );
  expect(holes).toContain(true);
});

test('a failed write fails every later one, until the database is opened anew', async () => {
  const time = createTrueTime();
  const disk = new Disk({ time, random: seeded(1), writeMs: 1, readMs: 0.1 });
  const database = disk.open(createProcess('n1', time));
  disk.failNextWrite();
  const outcomes: string[] = [];
  for (let i = 0; i < 2; i++) {
    const batch = database.batch();
    batch.put(key(i), Buffer.from('x'));
    batch.write({ sync: true }).then(
      () => outcomes.push('written'),
      () => outcomes.push('failed'),
    );
  }
  await time.runUntil(100, () => {});
  expect(outcomes).toEqual(['failed', 'failed']);
});

test('a lost block leaves a hole, and a flipped bit another value', async () => {
  const { disk, finish } = await written(3, () => true);
  await finish();
  expect(disk.loseBlock()).toBe(true);
  expect(there(disk)).toHaveLength(20);
  expect(there(disk)).toContain(20);
  disk.flipBit();
  expect([...rows(disk.tree)].filter(([, value]) => value[0] !== 'x'.charCodeAt(0))).toHaveLength(1);
});

test('a sorted map is what a plain map would be, in order, and its older versions stay', () => {
  const random = seeded(7);
  const plain = new Map<string, number>();
  let tree: Tree;
  const versions: [Tree, number][] = [];
  for (let i = 0; i < 2_000; i++) {
    const name = String(random.int(0, 300));
    if (random.chance(0.6)) {
      plain.set(name, i);
      tree = put(tree, name, Uint8Array.of(i & 255));
    } else {
      plain.delete(name);
      tree = remove(tree, name);
    }
    if (i % 500 === 0) versions.push([tree, plain.size]);
  }
  const names = [...plain.keys()].sort();
  expect([...rows(tree)].map(([name]) => name)).toEqual(names);
  expect([...rows(tree, { gt: '15', lte: '2', reverse: true })].map(([name]) => name)).toEqual(
    names.filter((name) => name > '15' && name <= '2').toReversed(),
  );
  for (const [name, value] of plain) expect(get(tree, name)?.[0]).toBe(value & 255);
  for (const [version, size] of versions) expect(count(version)).toBe(size);
});

test('a limited disk takes what it has room for, counts what is removed, and fails the write that is too large', async () => {
  const time = createTrueTime();
  const disk = new Disk({ time, random: seeded(1), writeMs: 1, readMs: 0.1 });
  const database = disk.open(createProcess('n1', time));
  const write = async (name: string, bytes: number | undefined): Promise<string> => {
    const batch = database.batch();
    if (bytes === undefined) batch.del(Buffer.from(name));
    else batch.put(Buffer.from(name), Buffer.alloc(bytes));
    let ending = 'none';
    void batch.write({ sync: true }).then(
      () => (ending = 'done'),
      (error: unknown) => (ending = String(error)),
    );
    await time.runUntil(time.nowMs + 100, () => {});
    return ending;
  };
  expect(await write('a', 1_000)).toBe('done');
  expect(disk.freeBytes()).toBe(Number.MAX_SAFE_INTEGER);
  disk.limit(600);
  expect(await write('b', 400)).toBe('done');
  expect(disk.freeBytes()).toBe(600 - 400 - 1 - 16);
  expect(await write('a', undefined)).toBe('done');
  expect(disk.freeBytes()).toBe(600 - 400 + 1_000);
  expect(await write('c', 1_200)).toMatch(/ENOSPC/);
  disk.unlimit();
  expect(await write('c', 1)).toMatch(/EIO/);
  disk.processDied();
  expect(await write('c', 1_200)).toBe('done');
});
