// The real LevelDB, with damage done to the file that it recovers from. It skips what is damaged without a word; the log
// must then be refused, or be exactly what it was after some turn.
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seeded } from '../../test/world.ts';
import { RaftError } from '../raft-error.ts';
import { encodeEntry } from './entry.ts';
import { openLevelLog } from './level-log.ts';
import type { LogStore } from './log-store.ts';
import { readGeneration } from './recover.ts';

const membership = { id: 'a', members: ['a'], random: () => 0.25 };
const turns = 60;
const markKey = Buffer.from([2, 1]);
/** The index of a state that was received. */
const received = 1000;
let pristine = '';
let damaged = '';

/** What the log was after each turn; every third turn holds effects and nothing else. */
const lastIndexAfter = (turn: number): number => turn - Math.floor(turn / 3);

type Rows = Pick<Level<Uint8Array, Uint8Array>, 'getSync'>;

async function withLog<T>(directory: string, use: (log: LogStore, rows: Rows) => Promise<T>): Promise<T> {
  const database = new Level<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  try {
    const applied = (await readGeneration(database)) === 1 ? 0 : received;
    return await use(await openLevelLog({ database, applied, ...membership }), database);
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

/** What is found, 'refused' by the log, or 'closed' when LevelDB itself does not open. */
async function opened(look: (log: LogStore, rows: Rows) => number): Promise<number | 'refused' | 'closed'> {
  try {
    return await withLog(damaged, async (log, rows) => look(log, rows));
  } catch (error) {
    if (error instanceof RaftError) return 'refused';
    if (error instanceof Error && 'code' in error && error.code === 'LEVEL_DATABASE_NOT_OPEN') return 'closed';
    throw error;
  }
}

/** How many turns are there. */
const outcome = () =>
  opened((log, rows) => {
    const mark = Number(Buffer.from(rows.getSync(markKey) ?? []).toString() || '0');
    expect(log.lastIndex, 'log and state are of one turn').toBe(lastIndexAfter(mark));
    for (let index = 1; index <= log.lastIndex; index++) expect(log.entries(index, index, 0)).toHaveLength(1);
    return mark;
  });

async function flipBit(file: string, random: () => number): Promise<void> {
  const bytes = await readFile(file);
  const at = Math.floor(random() * bytes.length);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
  await writeFile(file, bytes);
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
    await copyWith((file) => flipBit(file, random));
    if ((await outcome()) === 'refused') refused += 1;
  }
  // Where LevelDB skips one record and reads on, there is a hole, and only the turn rows show it.
  expect(refused).toBeGreaterThan(0);
});

describe('a state that was received', () => {
  const pieces = 40;
  const rowKey = (generation: number, piece: number): Uint8Array => Buffer.from([2, 0, 0, 0, generation, piece]);
  const piecesUnder = (generation: number, rows: Rows): number =>
    Array.from({ length: pieces }, (_, piece) => rows.getSync(rowKey(generation, piece))).filter((row) => row).length;

  async function receive(log: LogStore): Promise<number> {
    const generation = await log.newGeneration();
    for (let piece = 0; piece < pieces; piece++) {
      await log.writeImport(generation, [{ key: rowKey(generation, piece), value: Buffer.alloc(3000, piece) }]);
    }
    return generation;
  }

  test('a flipped bit is refused, or takes all of it', async () => {
    await withLog(pristine, async (log) => {
      const restore = { index: received, term: 1, configuration: Buffer.from('all'), generation: await receive(log) };
      await log.write({ hardState: undefined, truncateFrom: undefined, entries: [], effects: [], restore });
    });
    const random = seeded(13);
    let refused = 0;
    for (let i = 0; i < 60; i++) {
      await copyWith((file) => flipBit(file, random));
      const found = await opened((log, rows) => (log.generation === 1 ? pieces : piecesUnder(log.generation, rows)));
      if (found === 'refused') refused += 1;
      else if (found !== 'closed') expect(found, 'rows of the state in use are gone').toBe(pieces);
    }
    expect(refused).toBeGreaterThan(0);
  });

  test('a flipped bit is refused, or no number is drawn under which rows lie', async () => {
    await withLog(pristine, receive);
    const random = seeded(17);
    for (let i = 0; i < 10; i++) {
      await copyWith(async (file) => {
        const bytes = await readFile(file);
        const at = bytes.lastIndexOf(Buffer.from([1, 0x20])) + Math.floor(random() * 12);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
        await writeFile(file, bytes);
      });
      const drawn = await drawnAfter();
      expect(drawn, 'rows of what was given up would be taken for those of another state').toBe(0);
    }
  });

  async function drawnAfter(): Promise<number> {
    try {
      return await withLog(damaged, async (log, rows) => piecesUnder(await log.newGeneration(), rows));
    } catch (error) {
      if (error instanceof RaftError) return 0;
      throw error;
    }
  }
});
