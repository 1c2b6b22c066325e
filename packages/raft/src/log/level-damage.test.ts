// The real LevelDB, with damage done to the file that it recovers from. It skips what is damaged without a word; the log
// must then be refused, or be exactly what it was after some turn.
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seeded } from '../../test/world.ts';
import { RaftError } from '../raft-error.ts';
import { encodeEntry } from './entry.ts';
import { openLevelLog } from './level-log.ts';
import type { LogStore } from './log-store.ts';

const membership = { id: 'a', members: ['a'], random: () => 0.25 };
const turns = 60;
const markKey = Buffer.from([2, 1]);
let pristine = '';
let damaged = '';

/** What the log was after each turn; every third turn holds effects and nothing else. */
const lastIndexAfter = (turn: number): number => turn - Math.floor(turn / 3);

async function withLog<T>(directory: string, use: (log: LogStore, mark: number) => Promise<T>): Promise<T> {
  const database = new Level<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  try {
    const mark = Number(Buffer.from(database.getSync(markKey) ?? []).toString() || '0');
    return await use(await openLevelLog({ database, applied: 0, ...membership }), mark);
  } finally {
    await database.close();
  }
}

beforeEach(async () => {
  pristine = await mkdtemp(join(tmpdir(), 'holdfast-log-'));
  damaged = await mkdtemp(join(tmpdir(), 'holdfast-log-'));
  await withLog(pristine, async (log) => {
    for (let turn = 1; turn <= turns; turn++) {
      const index = lastIndexAfter(turn);
      const entries = turn % 3 === 0 ? [] : [encodeEntry(index, 1, 'commands', Buffer.alloc(3000, turn))];
      const effects = [{ key: markKey, value: Buffer.from(String(turn)) }];
      await log.write({ hardState: undefined, truncateFrom: undefined, entries, effects });
    }
  });
});

afterEach(async () => {
  for (const directory of [pristine, damaged]) await rm(directory, { recursive: true });
});

async function copyWith(damage: (file: string) => Promise<void>): Promise<void> {
  for (const name of await readdir(damaged)) await rm(join(damaged, name));
  for (const name of await readdir(pristine)) await copyFile(join(pristine, name), join(damaged, name));
  const name = (await readdir(damaged)).find((file) => file.endsWith('.log'));
  if (name === undefined) throw new Error('LevelDB has a log of its own');
  await damage(join(damaged, name));
}

/** How many turns are there, 'refused' by the log, or 'closed' when LevelDB itself does not open. */
async function outcome(): Promise<number | 'refused' | 'closed'> {
  try {
    return await withLog(damaged, async (log, mark) => {
      expect(log.lastIndex, 'log and state are of one turn').toBe(lastIndexAfter(mark));
      for (let index = 1; index <= log.lastIndex; index++) expect(log.entries(index, index, 0)).toHaveLength(1);
      return mark;
    });
  } catch (error) {
    if (error instanceof RaftError) return 'refused';
    if (error instanceof Error && 'code' in error && error.code === 'LEVEL_DATABASE_NOT_OPEN') return 'closed';
    throw error;
  }
}

test('the log that nobody damaged opens as it was left', async () => {
  await copyWith(async () => undefined);
  expect(await outcome()).toBe(turns);
});

test('a log that is cut at its end opens as it was after an earlier turn', async () => {
  const random = seeded(7);
  const seen: (number | string)[] = [];
  for (let i = 0; i < 20; i++) {
    await copyWith(async (file) => truncate(file, Math.floor(random() * (await readFile(file)).length)));
    seen.push(await outcome());
  }
  expect(seen.filter((turn) => typeof turn !== 'number')).toEqual([]);
  expect(new Set(seen).size).toBeGreaterThan(5);
});

test('a flipped bit is refused, or takes nothing but the end', async () => {
  const random = seeded(11);
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    await copyWith(async (file) => {
      const bytes = await readFile(file);
      const at = Math.floor(random() * bytes.length);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
      await writeFile(file, bytes);
    });
    if ((await outcome()) === 'refused') refused += 1;
  }
  // Where LevelDB skips one record and reads on, there is a hole, and only the turn rows show it.
  expect(refused).toBeGreaterThan(0);
});
