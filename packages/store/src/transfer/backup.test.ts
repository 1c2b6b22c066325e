import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import type { Database } from '../../test/harness.ts';
import { Story, topic } from '../../test/story.ts';
import {
  BackupError,
  CorruptRow,
  encodeCommand,
  openStore,
  origin,
  type RestoreTarget,
  readBackup,
  restoreRows,
  StateTooNew,
  verifyBackup,
  verifyState,
  writeBackup,
} from '../index.ts';
import { Keyspace } from '../rows/keyspace.ts';
import { encodeMeta, firstMeta } from '../rows/meta-row.ts';
import { encodeHeader, encodePreamble, encodeRecord, encodeTrailer, recordKinds } from './backup-format.ts';
import { encodeRows } from './backup-rows.ts';

const farAway = { fireAtMs: 2 ** 47, seq: 0 };
const about = { clusterId: 'c0ffee', createdMs: 1_700_000_000_000 };
const target: RestoreTarget = { generation: 1, epoch: 7, applied: { index: 3, term: 2 } };

async function backupOf(story: Story): Promise<Buffer> {
  const taken = story.node.store.exportState();
  const pieces: Uint8Array[] = [];
  for await (const piece of writeBackup(taken, about)) pieces.push(piece);
  await taken.close();
  return Buffer.concat(pieces);
}

/** @param size of the pieces in which the file comes */
async function* inPieces(file: Buffer, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
}

async function restore(file: Buffer, to = target): Promise<Database> {
  const database: Database = new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  for await (const effects of restoreRows(await readBackup(inPieces(file)), to)) {
    const batch = database.batch();
    for (const { key, value } of effects) if (value !== undefined) batch.put(key, value);
    await batch.write();
  }
  return database;
}

async function busyStory(version = 2): Promise<Story> {
  const story = await Story.open([]);
  if (version === 2) await story.node.apply({ kind: 'activate', version: 2 });
  await story.createGroup('g');
  await story.schedule(0, 0, 5_000);
  const [first, second] = await story.lease(1);
  if (first !== undefined) await story.ack(1, first);
  if (second !== undefined) await story.nack(1, second, 50);
  await story.cancel(await story.scheduleOne(9_000));
  await story.newTerm(1_000);
  return story;
}

async function codeOf(file: Buffer): Promise<string> {
  try {
    const { faults } = await verifyBackup(inPieces(file));
    return faults[0] ?? 'nothing';
  } catch (error) {
    return error instanceof BackupError ? error.code : String(error);
  }
}

test.each([1, 2])('a backup of version %s tells of its state, and is sound', async (version) => {
  const story = await busyStory(version);
  const { store } = story.node;
  const report = await verifyBackup(inPieces(await backupOf(story), 5));
  expect(report.header).toEqual({
    ...about,
    applied: store.applied,
    activeVersion: version,
    epoch: 1,
    stateHash: store.stateHash,
  });
  expect(report).toMatchObject({
    isWhole: version === 2,
    base: version === 2 ? '0'.repeat(32) : undefined,
    faults: [],
  });
  expect(report.rows).toBe((await verifyState({ database: story.node.database, generation: 1 })).rows);
});

test.each([1, 2])(
  'what is restored from version %s has its messages, another epoch and a new place',
  async (version) => {
    const story = await busyStory(version);
    const database = await restore(await backupOf(story));
    const verified = await verifyState({ database, generation: 1 });
    expect(verified).toMatchObject({ applied: target.applied, epoch: 7, activeVersion: 2, isWhole: true, faults: [] });
    const store = await openStore({ database });
    expect([store.clockMs, store.seq, store.releaseFrom.term]).toEqual([
      story.node.store.clockMs,
      story.node.store.seq,
      0,
    ]);
    const [before, after] = [story.node.store.view(), store.view()];
    expect(after.topics()).toEqual(before.topics());
    expect(after.groups(topic)).toEqual(before.groups(topic));
    expect(await after.messages(topic, origin, farAway, 10)).toEqual(await before.messages(topic, origin, farAway, 10));
    expect(await after.holds(topic, 1, origin, 10)).toEqual(await before.holds(topic, 1, origin, 10));
    await Promise.all([before.close(), after.close()]);
    store.begin({ index: 4, term: 2, header: new Uint8Array() });
    expect(store.command(encodeCommand({ kind: 'begin', graceMs: 0 }))).toMatchObject({ kind: 'begun' });
    store.end();
    expect(await store.check()).toEqual([]);
  },
);

test('nothing but the last batch makes a state: without it no directory opens', async () => {
  const batches: number[] = [];
  const database: Database = new MemoryLevel({ keyEncoding: 'view', valueEncoding: 'view' });
  await database.open();
  const file = await backupOf(await busyStory());
  for await (const effects of restoreRows(await readBackup(inPieces(file)), target)) {
    if (batches.length > 0) await expect(openStore({ database })).rejects.toThrow('without a meta row');
    batches.push(effects.length);
    for (const { key, value } of effects) if (value !== undefined) await database.put(key, value);
  }
  expect(batches).toEqual([expect.any(Number), 2]);
  expect((await openStore({ database })).epoch).toBe(7);
});

test('a state to which nothing was applied is backed up and restored', async () => {
  const file = await backupOf(await Story.open([]));
  expect(await verifyBackup(inPieces(file))).toMatchObject({ rows: 0, faults: [] });
  const verified = await verifyState({ database: await restore(file), generation: 1 });
  expect(verified).toMatchObject({ rows: 2, epoch: 7, isWhole: true, faults: [] });
});

test('an epoch that is not above the one of the backup is refused', async () => {
  const file = await backupOf(await busyStory());
  for (const epoch of [0, 1, 2 ** 32]) await expect(restore(file, { ...target, epoch })).rejects.toThrow(RangeError);
});

test('any flipped bit anywhere is found, and no state comes of it', async () => {
  const file = await backupOf(await busyStory());
  expect(await codeOf(file)).toBe('nothing');
  const codes = new Map<string, number>();
  for (let bit = 0; bit < 8 * file.length; bit += 1) {
    const flipped = Buffer.from(file);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const code = await codeOf(flipped);
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (bit % 37 === 0) await expect(restore(flipped)).rejects.toThrow(BackupError);
  }
  expect([...codes]).toEqual([
    ['foreignFile', 8 * 16],
    ['damaged', 8 * (file.length - 16)],
  ]);
});

test('a file that was cut off anywhere says so; an empty one is no backup', async () => {
  const file = await backupOf(await busyStory());
  expect(await codeOf(Buffer.of())).toBe('foreignFile');
  for (let length = 1; length < file.length; length += 1)
    expect(await codeOf(file.subarray(0, length))).toBe('truncated');
  expect(await codeOf(Buffer.concat([file, Buffer.of(0)]))).toBe('damaged');
});

test('a file of another kind and one of a later format are told from a damaged one', async () => {
  expect(await codeOf(Buffer.from('once upon a time there was a file'))).toBe('foreignFile');
  const newer = encodePreamble();
  newer.writeUInt16BE(2, 16);
  newer.writeUInt32BE(crc32(newer.subarray(0, 18)), 18);
  expect(await codeOf(newer)).toBe('newerFormat');
});

/** A file that is whole, whatever it says. */
function fileOf(records: readonly (readonly [kind: number, payload: Buffer])[], rows: number): Buffer {
  const bytes = [encodePreamble(), ...records.map(([kind, payload]) => encodeRecord(kind, payload))];
  const digest = createHash('sha256').update(Buffer.concat(bytes)).digest();
  return Buffer.concat([...bytes, encodeRecord(recordKinds.trailer, encodeTrailer({ rows, digest }))]);
}

const header = encodeHeader({ ...about, applied: { index: 1, term: 1 }, activeVersion: 1, epoch: 1, stateHash: '00' });

test.each([
  ['no header', [], 0],
  ['a header that is too short', [[recordKinds.header, Buffer.alloc(20)]], 0],
  [
    'a record of no kind',
    [
      [recordKinds.header, header],
      [9, Buffer.of()],
    ],
    0,
  ],
  [
    'rows whose lengths do not add up',
    [
      [recordKinds.header, header],
      [recordKinds.rows, Buffer.alloc(7, 1)],
    ],
    0,
  ],
  ['another number of rows', [[recordKinds.header, header]], 5],
] as const)('a file with %s is damaged, its checksums notwithstanding', async (_what, records, rows) => {
  expect(await codeOf(fileOf(records, rows))).toBe('damaged');
});

test('records that changed places, each of them sound, are damaged', async () => {
  const rows = [1, 2].map((at) => encodeRows([{ key: Buffer.of(at), value: Buffer.alloc(5) }]));
  const of = (order: readonly Buffer[]): Buffer =>
    fileOf([[recordKinds.header, header], ...order.map((payload) => [recordKinds.rows, payload] as const)], 2);
  const [file, swapped] = [of(rows), of(rows.toReversed())];
  const trailerAt = file.length - 51;
  const mixed = Buffer.concat([swapped.subarray(0, trailerAt), file.subarray(trailerAt)]);
  expect(await codeOf(mixed)).toBe('damaged');
  expect(await codeOf(swapped)).not.toBe('damaged');
});

test('a length that no record has is refused before it is read', async () => {
  const file = fileOf([[recordKinds.header, header]], 0);
  file.writeUInt32BE(2 ** 31, 23);
  file.writeUInt32BE(crc32(file.subarray(22, 27)), 27);
  expect(await codeOf(file)).toBe('damaged');
});

test('rows that lack their first or their last, are out of order or of another header are faults, and not restored', async () => {
  const story = await busyStory();
  const taken = story.node.store.exportState();
  const { rows } = await taken.read(undefined, 1_000_000);
  const head = encodeHeader({ ...about, applied: taken.applied, ...factsOf(taken) });
  await taken.close();
  const faultOf = async (chunks: (typeof rows)[], top = head): Promise<string> => {
    const records = chunks.map((chunk) => [recordKinds.rows, encodeRows(chunk)] as const);
    const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const file = fileOf([[recordKinds.header, top], ...records], count);
    if (top === head && chunks[0] !== rows) await expect(restore(file)).rejects.toThrow(CorruptRow);
    return codeOf(file);
  };
  expect(await faultOf([rows])).toBe('nothing');
  expect(await faultOf([rows.slice(0, -1)])).toBe('its last row is missing');
  expect(await faultOf([rows.slice(1)])).toBe('its header tells of another state');
  expect(await faultOf([rows.slice(0, 4), rows.slice(3)])).toBe('its rows are not in order');
  expect(await faultOf([rows], header)).toBe('its header tells of another state');
});

const factsOf = (of: { readonly activeVersion: number; readonly epoch: number; readonly stateHash: string }) => ({
  activeVersion: of.activeVersion,
  epoch: of.epoch,
  stateHash: of.stateHash,
});

test('rows that were lost before the backup are missed in it, and in what is restored from it', async () => {
  const story = await busyStory();
  const keys = new Keyspace(1);
  const position = await story.scheduleOne(60_000);
  await story.node.database.del(keys.ofTopic('message', topic, position));
  const file = await backupOf(story);
  const missed = 'the sum of all rows is not the one that was kept while they were applied';
  expect(await codeOf(file)).toBe(missed);
  const verified = await verifyState({ database: await restore(file), generation: 1 });
  expect(verified.faults).toContain(missed);
});

test('a damaged row is not backed up; one of a version that is not known yet is not restored', async () => {
  const story = await busyStory();
  const keys = new Keyspace(1);
  const key = keys.ofTopic('message', topic, await story.scheduleOne(0));
  const value = Buffer.from(story.node.database.getSync(key) ?? []);
  value[6] = 9;
  await story.node.database.put(key, value);
  await expect(backupOf(story)).rejects.toThrow(CorruptRow);

  const meta = encodeMeta(new Keyspace(0).single('meta'), { ...firstMeta, activeVersion: 3 });
  const rows = encodeRows([{ key: meta.key.subarray(5), value: meta.value }]);
  const file = fileOf(
    [
      [recordKinds.header, header],
      [recordKinds.rows, rows],
    ],
    1,
  );
  await expect(restore(file)).rejects.toThrow(StateTooNew);
  await expect(verifyBackup(inPieces(file))).rejects.toThrow(StateTooNew);
});

test('the source is closed when it is read to its end, and when it is given up', async () => {
  const file = await backupOf(await busyStory());
  let closed = 0;
  async function* source(bytes: Buffer): AsyncGenerator<Uint8Array> {
    try {
      yield* inPieces(bytes, 100);
    } finally {
      closed += 1;
    }
  }
  await verifyBackup(source(file));
  await expect(readBackup(source(Buffer.from('something else altogether')))).rejects.toThrow(BackupError);
  const { chunks } = await readBackup(source(file));
  for await (const rows of chunks) {
    expect(rows.length).toBeGreaterThan(0);
    break;
  }
  expect(closed).toBe(3);
});
