import { expect, test } from 'vitest';
import { seededRandom } from '../../chaos/random.ts';
import type { Action, Operation } from '../trace/operations.ts';
import { DiskModel, type NameRule } from './disk-model.ts';
import { drawImage, loseSyncedPage, wholeImage } from './image.ts';

/** Operations one after the other, each done before the next begins. */
function played(rule: NameRule, actions: readonly Action[]): DiskModel {
  const disk = new DiskModel(rule);
  for (const [at, action] of actions.entries()) {
    const operation: Operation = { action, begin: 2 * at, end: 2 * at + 1, atMs: 0 };
    disk.begin(operation);
    disk.end(operation);
  }
  return disk;
}

const images = (disk: DiskModel, rule: NameRule, count = 200) =>
  Array.from({ length: count }, (_, seed) => drawImage(disk, rule, seededRandom(seed)).names);
const write = (file: number, offset: number, text: string, times = 1): Action => ({
  kind: 'write',
  file,
  offset,
  data: Buffer.from(text.repeat(times)),
});
const create = (path: string, file: number): Action => ({ kind: 'create', path, file });
const sync = (file: number): Action => ({ kind: 'sync', file });
const syncDirectory: Action = { kind: 'syncDirectory', path: '' };
const textOf = (content: Buffer | 'directory' | undefined) => content?.toString('latin1');
const pages = 4_096;

test('what a sync covered is in every image, and what came after it in some', () => {
  const disk = played('linux', [create('log', 1), write(1, 0, 'a', 5_000), sync(1), write(1, 5_000, 'b', 20_000)]);
  const contents = images(disk, 'linux').map((names) => textOf(names.get('log')) ?? '');
  expect(contents.every((content) => content.startsWith('a'.repeat(5_000)))).toBe(true);
  expect(contents.some((content) => content.length === 5_000)).toBe(true);
  expect(contents.some((content) => content.length === 25_000 && !content.includes('\0'))).toBe(true);
  // Lost in the middle: a page of zeros before one that is there.
  expect(contents.some((content) => /\0b/.test(content))).toBe(true);
});

test('a sync does not cover what had not returned before it was asked for', () => {
  const disk = new DiskModel('linux');
  const file: Operation = { action: create('log', 1), begin: 0, end: 1, atMs: 0 };
  const slow: Operation = { action: write(1, 0, 'a'), begin: 2, end: 5, atMs: 0 };
  const early: Operation = { action: sync(1), begin: 4, end: 6, atMs: 0 };
  for (const operation of [file, slow, early]) disk.begin(operation);
  for (const operation of [file, slow, early]) disk.end(operation);
  expect(disk.files.get(1)?.synced.size).toBe(0);
});

test('a page that is written twice may hold the first writing, the second, or none', () => {
  const disk = played('linux', [create('log', 1), sync(1), write(1, 0, 'a', pages), write(1, 0, 'b', pages)]);
  const firsts = new Set(images(disk, 'linux').map((names) => textOf(names.get('log'))?.slice(0, 1)));
  expect(firsts).toEqual(new Set(['', '\0', 'a', 'b']));
});

test('on Linux a sync of a file keeps its name; in POSIX only a sync of the directory does', () => {
  const actions = [create('log', 1), write(1, 0, 'a'), sync(1)];
  const kept = (rule: NameRule, more: readonly Action[] = []) =>
    images(played(rule, [...actions, ...more]), rule).filter((names) => names.has('log')).length;
  expect(kept('linux')).toBe(200);
  expect(kept('posix')).toBeLessThan(200);
  expect(kept('posix', [syncDirectory])).toBe(200);
});

test('the name of a folder is kept by a sync of the directory that it is in, not by one of a file in the folder', () => {
  const made: Action[] = [
    { kind: 'makeDirectory', path: 'folder' },
    create('folder/log', 1),
    write(1, 0, 'a'),
    sync(1),
    { kind: 'syncDirectory', path: 'folder' },
  ];
  const kept = (rule: NameRule, more: readonly Action[] = []) =>
    images(played(rule, [...made, ...more]), rule).filter((names) => names.has('folder/log')).length;
  for (const rule of ['linux', 'posix'] as const) {
    expect(kept(rule)).toBeLessThan(200);
    expect(kept(rule, [syncDirectory])).toBe(200);
  }
});

test('on Linux names that were not synced reach the disk in their order, in POSIX in any', () => {
  const actions: Action[] = [
    create('old', 1),
    syncDirectory,
    { kind: 'rename', from: 'old', to: 'new', file: 1 },
    { kind: 'unlink', path: 'new', file: 1 },
    create('last', 2),
  ];
  const seen = (rule: NameRule) =>
    new Set(images(played(rule, actions), rule).map((names) => [...names.keys()].join()));
  expect(seen('linux')).toEqual(new Set(['old', 'new', '', 'last']));
  expect(seen('posix').has('last,old')).toBe(true);
});

test('the whole image is what the kernel knows', () => {
  const disk = played('linux', [
    create('log', 1),
    write(1, 0, 'ab'),
    { kind: 'truncate', file: 1, size: 1 },
    write(1, 3, 'd'),
  ]);
  expect(textOf(wholeImage(disk).get('log'))).toBe('a\0\0d');
});

test('a disk that lies loses what was synced', () => {
  const disk = played('linux', [create('1.log', 1), write(1, 0, 'a', pages), sync(1)]);
  const { names } = drawImage(disk, 'linux', seededRandom(1));
  expect(textOf(names.get('1.log'))).toBe('a'.repeat(pages));
  expect(textOf(loseSyncedPage(names, disk, seededRandom(1)).get('1.log'))).toBe('\0'.repeat(pages));
});
