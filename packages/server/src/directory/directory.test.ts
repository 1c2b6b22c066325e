// What can be wrong with a data directory, and that nothing of it ends in an empty database.
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { StartError } from '../start-error.ts';
import { openDirectory } from './directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-directory-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = Buffer.from('key');
const untimed = () => undefined;
const path = (name: string) => join(folder, name);

/** A directory that was made, holds one row, and is closed. */
async function made(name: string): Promise<string> {
  const { database, close } = await openDirectory(path(name), untimed);
  const batch = database.batch();
  batch.put(key, Buffer.from('value'));
  await batch.write({ sync: true });
  await close();
  return path(name);
}

async function refusalOf(dataDir: string): Promise<string> {
  const refusal: unknown = await openDirectory(dataDir, untimed).then(
    ({ close }) => close(),
    (error: unknown) => error,
  );
  if (!(refusal instanceof StartError)) throw new Error(`${dataDir} was opened`);
  expect(refusal.message).toContain(dataDir);
  return refusal.code;
}

test('what was written is there after a restart, each write is timed, and deep paths are made', async () => {
  const dataDir = await made('a/b/c');
  const timesMs: number[] = [];
  const { database, close } = await openDirectory(dataDir, (ms) => timesMs.push(ms));
  expect(database.getSync(key)?.toString()).toBe('value');
  const snapshot = database.snapshot();
  const batch = database.batch();
  batch.del(key);
  await batch.write({ sync: true });
  expect([database.getSync(key), database.getSync(key, { snapshot })?.toString()]).toEqual([undefined, 'value']);
  const rows = database.iterator({ gte: Buffer.from('a'), lte: Buffer.from('z'), values: true, snapshot });
  expect((await rows.nextv(9)).map(([at]) => at.toString())).toEqual(['key']);
  await rows.close();
  await snapshot.close();
  expect(timesMs).toEqual([expect.any(Number)]);
  await close();
});

test('two at once: the second is refused, and the first goes on', async () => {
  const { database, close } = await openDirectory(path('twice'), untimed);
  expect(await refusalOf(path('twice'))).toBe('HF_DIRECTORY_LOCKED');
  await database.batch().write({ sync: true });
  await close();
});

test.each([
  ['CURRENT is lost', 'CURRENT', unlinkSync],
  ['a manifest is lost', /^MANIFEST/, unlinkSync],
  ['a manifest is empty', /^MANIFEST/, (file: string) => truncateSync(file, 0)],
  ['the whole database is lost', '', (file: string) => rmSync(file, { recursive: true })],
  ['the database is empty', '', (file: string) => (rmSync(file, { recursive: true }), mkdirSync(file))],
])('%s: refused, again and again, and nothing is made anew', async (name, which, damage) => {
  const dataDir = await made(name);
  const inside = readdirSync(join(dataDir, 'db')).find((file) =>
    which instanceof RegExp ? which.test(file) : file === which,
  );
  damage(join(dataDir, 'db', inside ?? ''));
  expect(await refusalOf(dataDir)).toBe('HF_DIRECTORY_DAMAGED');
  expect(await refusalOf(dataDir)).toBe('HF_DIRECTORY_DAMAGED');
});

test('a process that ended while it made the directory leaves one that can be made again', async () => {
  mkdirSync(path('halfway'));
  writeFileSync(join(path('halfway'), 'holdfast.json'), '{"format":1,"state":"making"}\n');
  expect(await made('halfway')).toBe(path('halfway'));
  writeFileSync(join(path('halfway'), 'holdfast.json.new'), '{"for');
  expect(await made('halfway')).toBe(path('halfway'));
});

test('files of others, a damaged marker, another format, a file in its place: each has its code', async () => {
  mkdirSync(path('foreign'));
  writeFileSync(join(path('foreign'), 'thesis.txt'), 'the only copy');
  expect(await refusalOf(path('foreign'))).toBe('HF_DIRECTORY_FOREIGN');
  expect(readdirSync(path('foreign'))).toEqual(['thesis.txt']);

  const dataDir = await made('marked');
  for (const [text, code] of [
    ['', 'HF_DIRECTORY_DAMAGED'],
    ['{"format":1}', 'HF_DIRECTORY_DAMAGED'],
    ['{"format":2,"state":"made"}', 'HF_DIRECTORY_FORMAT'],
  ] as const) {
    writeFileSync(join(dataDir, 'holdfast.json'), text);
    expect(await refusalOf(dataDir)).toBe(code);
  }
  unlinkSync(join(dataDir, 'holdfast.json'));
  expect(await refusalOf(dataDir)).toBe('HF_DIRECTORY_FOREIGN');

  writeFileSync(path('file'), '');
  expect(await refusalOf(path('file'))).toBe('HF_DIRECTORY_UNREADABLE');
});

test('a fresh volume may hold what its file system put there', async () => {
  mkdirSync(join(path('volume'), 'lost+found'), { recursive: true });
  expect(await made('volume')).toBe(path('volume'));
});

test.skipIf(process.getuid?.() === 0)('a directory of another owner is unreadable, not damaged', async () => {
  const dataDir = await made('closed');
  cpSync(dataDir, `${dataDir}.copy`, { recursive: true });
  chmodSync(join(dataDir, 'db'), 0o000);
  expect(await refusalOf(dataDir)).toBe('HF_DIRECTORY_UNREADABLE');
  chmodSync(join(dataDir, 'db'), 0o755);
});
