import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import type { Row } from './database.ts';
import { encodeEntry } from './entry.ts';
import { openLevelLog } from './level-log.ts';
import type { LogStore, Turn } from './log-store.ts';

const membership = { id: 'a', members: ['a', 'b', 'c'], random: () => 0.25 };
const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
type Memory = MemoryLevel<Uint8Array, Uint8Array>;

async function database(rows: readonly Row[] = []): Promise<Memory> {
  const memory: Memory = new MemoryLevel(encodings);
  await memory.open();
  for (const [key, value] of rows) await memory.put(key, value);
  return memory;
}

const turn = (parts: Partial<Turn>): Turn => ({
  hardState: undefined,
  truncateFrom: undefined,
  entries: [],
  effects: [],
  ...parts,
});
const entry = (index: number, term: number) => encodeEntry(index, term, 'commands', Buffer.alloc(20, index));

/** A log with a truncation, several terms, turns with and without entries. */
async function written(memory: Memory): Promise<LogStore> {
  const log = await openLevelLog({ database: memory, applied: 0, ...membership });
  await log.writeFounding({ record: { clusterId: 'x', incarnations: { a: '1', b: '2', c: '3' } }, confirmed: true });
  await log.write(turn({ hardState: { term: 1, vote: 'a' }, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }));
  await log.write(
    turn({ hardState: { term: 3, vote: undefined }, truncateFrom: 3, entries: [entry(3, 2), entry(4, 3)] }),
  );
  await log.write(turn({ effects: [{ key: Buffer.from([2, 1]), value: Buffer.from('state') }] }));
  await log.write(turn({ entries: [entry(5, 3)] }));
  return log;
}

/** The same with configurations, a compaction, and a generation that was drawn and not used. */
async function compacted(memory: Memory): Promise<LogStore> {
  const log = await openLevelLog({ database: memory, applied: 0, ...membership });
  const says = (index: number) => encodeEntry(index, 2, 'configuration', Buffer.from(`members ${index}`));
  await log.write(turn({ entries: [entry(1, 1), says(2), entry(3, 2), says(4), entry(5, 2)] }));
  await log.write(turn({ compactTo: 4, effects: [{ key: Buffer.from([2, 1]), value: Buffer.from('state') }] }));
  await log.newGeneration();
  await log.write(turn({ entries: [says(6), entry(7, 3)] }));
  return log;
}

async function rowsOf(memory: Memory): Promise<Row[]> {
  return memory.iterator().all();
}

const open = (memory: Memory, applied = 2): Promise<LogStore> =>
  openLevelLog({ database: memory, applied, ...membership });
const refused = { name: 'RaftError', code: expect.stringMatching(/^HF_LOG_(CORRUPT|GAP|FORMAT)$/) };

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('hex');
}

const stories = [
  ['from its beginning', written, 18, 2],
  ['that was compacted', compacted, 20, 4],
] as const;

test.each(stories)(
  'any missing row of a log %s is noticed, and refused with advice',
  async (_, story, count, applied) => {
    const memory = await database();
    await story(memory);
    await open(memory, applied);
    const rows = await rowsOf(memory);
    const ofLog = rows.filter(([key]) => key[0] === 1);
    expect(ofLog.length).toBe(count);
    for (const [missing] of ofLog) {
      const without = await database(rows.filter(([key]) => key !== missing));
      await expect(open(without, applied), nameOf(missing)).rejects.toMatchObject(refused);
      await expect(open(without, applied)).rejects.toThrow('Move this directory away');
      expect(await rowsOf(without), 'nothing was changed').toHaveLength(rows.length - 1);
    }
  },
);

test.each(stories)(
  'any flipped bit in a log %s, key or value, is noticed and refused',
  async (_, story, __, applied) => {
    const memory = await database();
    await story(memory);
    const rows = await rowsOf(memory);
    for (const [at, [key, value]] of rows.entries()) {
      if (key[0] !== 1) continue;
      for (let bit = 0; bit < (key.length + value.length) * 8; bit++) {
        const flipped = Buffer.concat([key, value]);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const row: Row = [flipped.subarray(0, key.length), flipped.subarray(key.length)];
        const damaged = await database(rows.map((other, i) => (i === at ? row : other)));
        await expect(open(damaged, applied), `${nameOf(key)}, bit ${bit}`).rejects.toMatchObject(refused);
      }
    }
  },
);

test('what lies behind the end of the log is refused: a newer end was lost', async () => {
  const memory = await database();
  await written(memory);
  const rows = await rowsOf(memory);
  const last = rows.findLast(([key]) => key[1] === 0x40 && key[6] === 0);
  const key = Buffer.from(last?.[0] ?? []);
  key.writeUInt8(6, key.length - 1);
  await expect(open(await database([...rows, [key, entry(6, 3).bytes]]))).rejects.toMatchObject({
    code: 'HF_LOG_CORRUPT',
  });
});

test.each([
  [5, undefined],
  [0, undefined],
  [6, 'HF_LOG_GAP'],
])('a state at index %i of a log up to 5 opens, or not: %s', async (applied, code) => {
  const memory = await database();
  await written(memory);
  if (code === undefined) expect((await open(memory, applied)).lastIndex).toBe(5);
  else await expect(open(memory, applied)).rejects.toMatchObject({ code, facts: { applied, lastIndex: 5 } });
});

test('a directory of another member, or of another cluster, is refused', async () => {
  const memory = await database();
  await written(memory);
  const as = (id: string, members: readonly string[]) =>
    openLevelLog({ database: memory, applied: 0, random: () => 0, id, members });
  await expect(as('b', ['a', 'b', 'c'])).rejects.toMatchObject({
    code: 'HF_WRONG_MEMBER',
    facts: { found: 'a', expected: 'b' },
  });
  await expect(as('a', ['a', 'b', 'd'])).rejects.toMatchObject({ code: 'HF_WRONG_CLUSTER' });
  expect((await as('a', ['c', 'b', 'a'])).identity.members).toEqual(['a', 'b', 'c']);
});

test('a state without a log is not an empty directory', async () => {
  const memory = await database([[Buffer.from([2, 1]), Buffer.from('state')]]);
  await expect(open(memory)).rejects.toMatchObject({ code: 'HF_LOG_GAP' });
});

test('turn rows are kept for two write buffers and no longer, and the log still opens', async () => {
  const memory = await database();
  const log = await openLevelLog({
    database: memory,
    applied: 0,
    writeBufferBytes: 1000,
    cacheBytes: 100,
    ...membership,
  });
  for (let index = 1; index <= 200; index++) await log.write(turn({ entries: [entry(index, 1)] }));
  const turns = (await rowsOf(memory)).filter(([key]) => key[1] === 0x30 && key[2] === 0);
  expect(turns.length).toBeGreaterThan(5);
  expect(turns.length).toBeLessThan(20);
  const again = await open(memory, 0);
  expect(again.lastIndex).toBe(200);
  expect(again.logBytes).toBe(200 * 48);
  expect(again.entries(1, 1, 1)[0]?.bytes).toEqual(entry(1, 1).bytes);
  await again.write(turn({ entries: [entry(201, 1)] }));
  expect((await open(memory, 0)).lastIndex).toBe(201);
});

test('an old entry that is damaged is refused when it is read', async () => {
  const memory = await database();
  const log = await openLevelLog({
    database: memory,
    applied: 0,
    writeBufferBytes: 1000,
    cacheBytes: 100,
    ...membership,
  });
  for (let index = 1; index <= 100; index++) await log.write(turn({ entries: [entry(index, 1)] }));
  const [key, value] = (await rowsOf(memory)).find(([at]) => at[1] === 0x40 && at[13] === 7) ?? [];
  if (key === undefined || value === undefined) throw new Error('entry 7 has a row');
  const damaged = Buffer.from(value);
  damaged.writeUInt8(damaged.readUInt8(40) ^ 1, 40);
  await memory.put(key, damaged);
  const again = await open(memory, 0);
  expect(() => again.entries(1, 100, 1e6)).toThrow(
    expect.objectContaining({ code: 'HF_LOG_CORRUPT', facts: { index: 7 } }),
  );
});

test.each([
  ['IO error: no space left on device', 'HF_DISK_FULL'],
  ['IO error: something', 'HF_WRITE_FAILED'],
])('after a write that failed with "%s" the log says %s, and takes no other', async (message, code) => {
  const memory = await database();
  const log = await written(memory);
  const batch = memory.batch.bind(memory);
  Object.assign(memory, {
    batch: () =>
      Object.assign(batch(), { write: () => Promise.reject(new Error('Batch failed', { cause: new Error(message) })) }),
  });
  const failed = { code, message: expect.stringContaining('Batch failed. ') };
  const beside = log.newGeneration();
  // It waits for what is written beside it, and its driver may be the first that is told.
  const waiting = log.write(turn({ entries: [entry(6, 3)] }));
  await Promise.all([waiting, beside].map((write) => expect(write).rejects.toMatchObject(failed)));
  expect(log.lastIndex).toBe(5);
  Object.assign(memory, { batch });
  await expect(log.write(turn({ entries: [entry(6, 3)] }))).rejects.toMatchObject(failed);
  expect(log.lastIndex).toBe(5);
});

test('a key of the state machine in the space of the log is refused', async () => {
  const log = await written(await database());
  await expect(log.write(turn({ effects: [{ key: Buffer.from([1, 0x10]), value: undefined }] }))).rejects.toThrow(
    'space of the log',
  );
});
