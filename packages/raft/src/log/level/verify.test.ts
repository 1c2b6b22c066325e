// The walk over a whole log: what no start reads any more is read here, and every fault is told.
import { MemoryLevel } from 'memory-level';
import { beforeEach, expect, test } from 'vitest';
import { encodeEntry } from '../entry.ts';
import { entryKey, generationsKey, identityKey, termRunKey, turnKey } from '../keyspace.ts';
import { openLevelLog } from '../level-log.ts';
import { verifyLog } from './verify.ts';

const membership = { id: 'a', members: ['a'], random: () => 0.25 };
const last = 40;
let database: MemoryLevel<Uint8Array, Uint8Array>;

/** The first 20 entries are so old that a start does not read them. */
beforeEach(async () => {
  database = new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  const log = await openLevelLog({ database, applied: 0, ...membership, writeBufferBytes: 1_000 });
  for (let index = 1; index <= last; index++) {
    const entry = encodeEntry(index, index <= 10 ? 1 : 2, 'commands', Buffer.alloc(50, index));
    const hardState = { term: 2, vote: undefined };
    await log.write({ hardState, truncateFrom: undefined, entries: [entry], effects: [] });
  }
});

const faults = async (applied = 0) => (await verifyLog(database, applied)).faults;
const valueOf = (key: Uint8Array): Buffer => Buffer.from(database.getSync(key) ?? []);

async function flip(key: Uint8Array, at: number): Promise<void> {
  const value = valueOf(key);
  value[at] = (value[at] ?? 0) ^ 4;
  await database.put(key, value);
}

test('a log in which nothing is wrong', async () => {
  expect(await verifyLog(database, last)).toEqual({
    id: 'a',
    clusterId: undefined,
    term: 2,
    generation: 1,
    turn: last,
    firstIndex: 1,
    lastIndex: last,
    entries: last,
    bytes: last * 78,
    faults: [],
  });
});

test('a flipped bit in an old entry opens without a word, and is found by the walk', async () => {
  await flip(entryKey(1, 3), 40);
  await openLevelLog({ database, applied: 0, ...membership });
  expect(await faults()).toContain('the entry at index 3 is damaged: not a log entry: its checksum differs');
});

test('every hole is told, and what lies behind the end', async () => {
  for (const index of [2, 5, 6, last]) await database.del(entryKey(1, index));
  const stray = encodeEntry(last + 2, 2, 'commands', Buffer.alloc(1));
  await database.put(entryKey(1, last + 2), stray.bytes);
  const found = await faults();
  expect(found).toContain('the entry at index 2 is missing');
  expect(found).toContain('the entries at indexes 5 to 6 are missing');
  expect(found).toContain(`index ${last + 2} lies behind the end of the log, ${last}`);
});

test('an entry in the place of another, and a term that falls', async () => {
  await database.put(entryKey(1, 4), valueOf(entryKey(1, 3)));
  await database.put(entryKey(1, 15), encodeEntry(15, 1, 'commands', Buffer.alloc(50)).bytes);
  const found = await faults();
  expect(found).toContain('the row of index 4 holds the entry at 3');
  expect(found).toContain('the entry at index 15 has term 1, after term 2');
});

test.each([
  ['identity', identityKey],
  ['generations', generationsKey],
  ['the last turn', turnKey(last)],
  ['a term', termRunKey(1, 11)],
])('a flipped bit in %s', async (_what, key) => {
  await flip(key, 1);
  expect((await faults()).length).toBeGreaterThan(0);
});

test.each([
  ['identity', identityKey],
  ['generations', generationsKey],
  ['the last turn', turnKey(last)],
  ['a term', termRunKey(1, 11)],
])('%s is lost', async (_what, key) => {
  await database.del(key);
  expect((await faults()).length).toBeGreaterThan(0);
});

test('a state that is ahead of its log, and rows of a generation that nobody uses', async () => {
  expect((await faults(last + 1))[0]).toMatch(/^HF_LOG_GAP: .*The state is at index 41, but the log holds 1 to 40/);
  await database.put(entryKey(2, 1), Buffer.of(1));
  expect(await faults()).toEqual(['rows lie under generation 2, which is not in use']);
});
