// Files and directories: what is kept, what is restored, and what is refused, on a real disk.
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type AnswerOf, type RequestOf, type Verb } from '@holdfast/api';
import { type Database, readGeneration, restoreLog } from '@holdfast/raft';
import { readBackup, restoreRows } from '@holdfast/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../config-sources.ts';
import { openDirectory, openToRestore } from '../directory/directory.ts';
import { startNode } from '../node.ts';
import type { Node } from '../node-types.ts';
import { keepBackup, piecesOf, verifyBackupFile } from './file.ts';
import { restoreBackup, verifyDirectory } from './stopped.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-backup-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const whole = path('whole.backup');
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function started(dataDir: string): Promise<Node> {
  const node = await startNode(parseConfig({ dataDir: path(dataDir), listen: '127.0.0.1:0', logLevel: 'silent' }), {
    log: quiet,
  });
  while (!node.status().serving || node.status().activeVersion < 2)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return node;
}

function call<V extends Verb>(
  node: Node,
  verb: V,
  request: Pick<RequestOf<V>, 'params' | 'query' | 'body'> & { readonly idempotencyKey?: string },
): Promise<AnswerOf<V>> {
  const { idempotencyKey } = request;
  return node.service.call(
    verb,
    { ...request, idempotencyKey },
    { signal: new AbortController().signal, forwarded: false },
  );
}

const inTopic = { params: { topic: 'reminders' }, query: {} };
const inGroup = { params: { topic: 'reminders', group: 'mailer' }, query: {} };
const nothing = { params: {}, query: {}, body: undefined };
const keyed = { ...inTopic, body: { body: 'once', delay: '1h' }, idempotencyKey: 'key-of-a-client' };

/** What users of the node that was backed up still hold. */
let held: { keyedId: string; leasedId: string; receipt: string; ackedId: string };

beforeAll(async () => {
  const node = await started('first');
  const { messages } = await call(node, 'schedule', keyed);
  const bodies = Array.from({ length: 60 }, (_, at) => ({ body: `${at} ${'x'.repeat(20_000)}`, delay: 0 }));
  await call(node, 'schedule', { ...inTopic, body: { messages: bodies } });
  const got: AnswerOf<'receive'>['messages'][number][] = [];
  while (got.length < 2) {
    const body = { max: 1, wait: '10s', lease: '2s', create: { start: 'earliest' as const } };
    got.push(...(await call(node, 'receive', { ...inGroup, body })).messages);
  }
  const [acked, leased] = got;
  await call(node, 'ack', { ...inGroup, body: { receipts: [acked?.receipt ?? ''] } });
  held = {
    keyedId: messages[0]?.id ?? '',
    leasedId: leased?.id ?? '',
    receipt: leased?.receipt ?? '',
    ackedId: acked?.id ?? '',
  };
  await keepBackup(whole, await call(node, 'backup', nothing));
  await node.stop();
}, 60_000);

const restore = (file: string, dataDir: string, nowMs = 1_800_000_000_000) =>
  restoreBackup({ path: file, dataDir: path(dataDir), id: 'n1', nowMs });
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

test('what is restored is the state, in a new cluster with a new epoch; old handles name nothing', async () => {
  const { header, epoch, rows } = await restore(whole, 'restored');
  expect(epoch).toBe(1_800_000_000);
  expect(rows).toBeGreaterThan(60);
  const verified = await verifyDirectory(path('restored'));
  expect(verified).toMatchObject({ log: { id: 'n1', clusterId: undefined, faults: [] }, faults: [] });
  expect(verified.state).toMatchObject({ epoch, isWhole: true });

  const node = await started('restored');
  expect(node.status().clusterId).toMatch(/^[0-9a-f]{32}$/);
  expect(node.status().clusterId).not.toBe(header.clusterId);
  const oneMessage = { params: { topic: 'reminders', id: held.leasedId }, query: {}, body: undefined };
  await expect(call(node, 'get', oneMessage)).rejects.toMatchObject({ code: 'HF_MESSAGE_NOT_FOUND' });
  expect(await call(node, 'cancel', oneMessage)).toMatchObject({ kind: 'notFound' });
  const receipts = [held.receipt];
  expect(await call(node, 'ack', { ...inGroup, body: { receipts } })).not.toMatchObject({ answers: ['ok'] });
  // Whoever repeats what it asked before the backup gets the first answer, by the names of this cluster.
  const again = await call(node, 'schedule', keyed);
  expect(again.repeated).toBe(true);
  expect(again.messages[0]?.id).not.toBe(held.keyedId);

  // The lease that was out is none of this cluster's consumers: it runs out, and the message comes again. What was
  // acknowledged does not.
  const came: string[] = [];
  while (came.length < 59) {
    const { messages } = await call(node, 'receive', { ...inGroup, body: { max: 100, wait: '10s' } });
    came.push(...messages.map(({ bodyBytes }) => Buffer.from(bodyBytes ?? []).toString()));
    await call(node, 'ack', { ...inGroup, body: { receipts: messages.map(({ receipt }) => receipt) } });
  }
  expect(new Set(came).size).toBe(59);
  expect((await call(node, 'receive', { ...inGroup, body: { max: 100 } })).messages).toEqual([]);
  await node.stop();
  expect((await verifyDirectory(path('restored'))).faults).toEqual([]);
}, 60_000);

test('a clock that stands before the backup still gives an epoch above', async () => {
  expect((await restore(whole, 'early', 0)).epoch).toBe(2);
});

test.each([
  ['a file of its own', () => writeFileSync(path('taken/notes.txt'), '')],
  ['a node', () => cpSync(path('first'), path('taken'), { recursive: true })],
])('a directory that holds %s is refused, and left as it was', async (_what, fill) => {
  rmSync(path('taken'), { recursive: true, force: true });
  mkdirSync(path('taken'));
  fill();
  const before = readdirSync(path('taken'));
  expect(await codeOf(restore(whole, 'taken'))).toBe('HF_DIRECTORY_NOT_EMPTY');
  expect(readdirSync(path('taken'))).toEqual(before);
});

/** What a restore that was killed has left: all of the rows, without or with the flip to them. */
async function interrupted(dataDir: string, at: 'rows' | 'flip'): Promise<void> {
  const { database, close } = await openToRestore(path(dataDir));
  const done = restoreLog({ database, applied: 0, id: 'n1', random: Math.random }, async function* ({ generation }) {
    yield* restoreRows(await readBackup(piecesOf(whole)), { generation, epoch: 9, applied: { index: 1, term: 1 } });
    if (at === 'rows') throw new Error('killed');
  });
  await done.catch(() => undefined);
  expect(await readGeneration(database)).toBe(at === 'rows' ? 1 : 2);
  await close();
}

test.each(['rows', 'flip'] as const)(
  'a restore that ended at its %s leaves a directory that refuses to start, and may be restored again',
  async (at) => {
    await interrupted(at, at);
    expect(await codeOf(openDirectory(path(at), () => undefined))).toBe('HF_DIRECTORY_RESTORING');
    expect(await codeOf(verifyDirectory(path(at)))).toBe('HF_DIRECTORY_RESTORING');
    await restore(whole, at);
    expect((await verifyDirectory(path(at))).faults).toEqual([]);
    const node = await started(at);
    expect((await call(node, 'topic', inTopicBare)).stored).toBe(60);
    await node.stop();
  },
  30_000,
);

const inTopicBare = { ...inTopic, body: undefined };

test('two restores to one directory: the second is refused while the first writes', async () => {
  const first = await openToRestore(path('both'));
  expect(await codeOf(restore(whole, 'both'))).toBe('HF_DIRECTORY_LOCKED');
  await first.close();
  await restore(whole, 'both');
});

/** The same numbers for the same seed, in [0, 1) (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test(`a bit flipped anywhere, or an end cut off anywhere, is refused by verify and by restore; SEED=${seed}`, async () => {
  const random = randomOf(seed);
  const bytes = readFileSync(whole);
  for (let round = 0; round < 60; round += 1) {
    const damaged = Buffer.from(bytes);
    const at = Math.floor(random() * bytes.length);
    const isFlip = random() < 0.6;
    if (isFlip) damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    const file = path('damaged.backup');
    writeFileSync(file, isFlip ? damaged : damaged.subarray(0, at));
    const what = `${isFlip ? 'flipped' : 'cut'} at ${at}, SEED=${seed}`;
    const refusal = /^HF_BACKUP_(?:DAMAGED|FOREIGN)$/;
    const expected = isFlip ? refusal : /^HF_BACKUP_(?:CUT|FOREIGN)$/;
    expect(await codeOf(verifyBackupFile(file)), what).toMatch(expected);
    expect(await codeOf(restore(file, 'untouched')), what).toMatch(expected);
    expect(existsSync(path('untouched')), what).toBe(false);
  }
}, 60_000);

test('a file of a newer format, and one with something behind its end', async () => {
  const newer = path('newer.backup');
  // Format 2, with the checksum of such a beginning.
  const bytes = readFileSync(whole);
  bytes.writeUInt16BE(2, 16);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 18)), 18);
  writeFileSync(newer, bytes);
  expect(await codeOf(restore(newer, 'untouched'))).toBe('HF_BACKUP_NEWER');
  cpSync(whole, newer);
  appendFileSync(newer, 'x');
  expect(await codeOf(restore(newer, 'untouched'))).toBe('HF_BACKUP_DAMAGED');
  expect(await codeOf(restore(path('none.backup'), 'untouched'))).toBe('HF_BACKUP_FILE');
  expect(existsSync(path('untouched'))).toBe(false);
});

test('a stream that ends early leaves no file, nor does one that breaks; one that is there is not written over', async () => {
  mkdirSync(path('kept'));
  const file = path('kept/one.backup');
  const bytes = readFileSync(whole);
  const ending = async function* () {
    yield bytes.subarray(0, -1);
  };
  const breaking = async function* () {
    yield bytes.subarray(0, 5_000);
    throw Object.assign(new Error('the node is gone'), { code: 'BROKEN' });
  };
  expect(await codeOf(keepBackup(file, ending()))).toBe('HF_BACKUP_CUT');
  expect(await codeOf(keepBackup(file, breaking()))).toBe('BROKEN');
  expect(readdirSync(path('kept'))).toEqual([]);
  await keepBackup(file, piecesOf(whole));
  expect(readFileSync(file).equals(bytes)).toBe(true);
  expect(await codeOf(keepBackup(file, piecesOf(whole)))).toBe('HF_BACKUP_EXISTS');
  expect(readdirSync(path('kept'))).toEqual(['one.backup']);
});

test('of two backups to one name the first that is whole has it, and the other is refused', async () => {
  mkdirSync(path('shared'));
  const file = path('shared/one.backup');
  const overtaken = async function* () {
    yield readFileSync(whole);
    writeFileSync(file, 'the other one');
  };
  expect(await codeOf(keepBackup(file, overtaken()))).toBe('HF_BACKUP_EXISTS');
  expect(readFileSync(file, 'utf8')).toBe('the other one');
  expect(readdirSync(path('shared'))).toEqual(['one.backup']);
});

test('the temporary file of another process is left alone, whatever its number', async () => {
  mkdirSync(path('volume'));
  const file = path('volume/one.backup');
  const other = `one.backup.${process.pid}.part`;
  writeFileSync(path(`volume/${other}`), 'of a process in another container');
  await keepBackup(file, piecesOf(whole));
  expect(readdirSync(path('volume')).toSorted()).toEqual(['one.backup', other]);
});

test('verify refuses a directory in which a node runs, and one that is none, and makes nothing', async () => {
  const node = await started('early');
  expect(await codeOf(verifyDirectory(path('early')))).toBe('HF_DIRECTORY_LOCKED');
  await node.stop();
  expect(await codeOf(verifyDirectory(path('nowhere')))).toBe('HF_DIRECTORY_UNREADABLE');
  expect(existsSync(path('nowhere'))).toBe(false);
  mkdirSync(path('empty'));
  expect(await codeOf(verifyDirectory(path('empty')))).toBe('HF_DIRECTORY_FOREIGN');
  expect(readdirSync(path('empty'))).toEqual([]);
});

async function put(database: Database, key: Uint8Array, value: Uint8Array): Promise<void> {
  const batch = database.batch();
  batch.put(key, value);
  await batch.write({ sync: true });
}

test('verify of a directory finds a flipped bit in any row, in the log and in the state', async () => {
  cpSync(path('first'), path('flipped'), { recursive: true });
  expect(await verifyDirectory(path('flipped'))).toMatchObject({ faults: [] });
  const random = randomOf(seed);
  for (let round = 0; round < 30; round += 1) {
    const { database, close } = await openDirectory(path('flipped'), () => undefined);
    const iterator = database.iterator({ gte: Buffer.of(1) });
    const rows = await iterator.nextv(10_000);
    await iterator.close();
    const [key, value] = rows[Math.floor(random() * rows.length)] ?? [Buffer.of(), Buffer.of()];
    const damaged = Buffer.from(value);
    const at = Math.floor(random() * value.length);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    await put(database, key, damaged);
    await close();
    const { faults } = await verifyDirectory(path('flipped'));
    expect(faults.length, `row ${Buffer.from(key).toString('hex')}, byte ${at}, SEED=${seed}`).toBeGreaterThan(0);
    const mended = await openDirectory(path('flipped'), () => undefined);
    await put(mended.database, key, value);
    await mended.close();
  }
  truncateSync(join(path('flipped'), 'db', 'CURRENT'));
  expect(await codeOf(verifyDirectory(path('flipped')))).toBe('HF_DIRECTORY_DAMAGED');
}, 60_000);
