// The data directory: one LevelDB for log and state, locked against a second process, and made only once. LevelDB makes a
// database that is not there, and does so as well when only its file CURRENT was lost: a node would come back empty and
// vote again. So the directory itself says whether it was made before.
import { mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Database, Range } from '@holdfast/raft';
import { CorruptRow, type ScanOptions, type Snapshot, type StateReader } from '@holdfast/store';
import { Level } from 'level';
import type { DiskPort } from './member.ts';
import { StartError, type StartErrorCode } from './start-error.ts';

export interface OpenDirectory {
  readonly database: Database & StateReader;
  readonly disk: DiskPort;
  readonly close: () => Promise<void>;
}

const markerName = 'holdfast.json';
const databaseName = 'db';
const format = 1;
/** What a file system puts into a fresh volume by itself. */
const notOurs = new Set(['lost+found']);

type Marker = 'none' | 'making' | 'made';

/**
 * @param onWrite how long each synced batch took, in ms
 * @throws StartError HF_DIRECTORY_*
 */
export async function openDirectory(dataDir: string, onWrite: (durationMs: number) => void): Promise<OpenDirectory> {
  const marker = await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => prepare(dataDir));
  const level = marker === 'made' ? await openLevel(dataDir, false) : await makeLevel(dataDir);
  try {
    // LevelDB names its MANIFEST anew at each open, and leaves it to chance when that name reaches the disk: until then
    // power loss brings back the one before, of which nothing was synced after the first start.
    await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => syncDirectory(join(dataDir, databaseName)));
    if (marker !== 'made') await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => writeMarker(dataDir, 'made'));
  } catch (error) {
    await level.close();
    throw error;
  }
  const { database, writingMs } = timed(level, onWrite);
  return { database, disk: { freeBytes: () => freeBytes(dataDir), writingMs }, close: () => level.close() };
}

/** Without what the file system keeps for root. */
async function freeBytes(dataDir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dataDir);
  return bavail * bsize;
}

/** Whatever goes wrong within gets a code, unless it has one. */
async function coded<T>(code: StartErrorCode, dataDir: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(code, `${dataDir}: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}

async function prepare(dataDir: string): Promise<Marker> {
  await makeDirectory(resolve(dataDir));
  const names = (await readdir(dataDir)).filter((name) => !notOurs.has(name));
  if (names.includes(markerName)) return await readMarker(dataDir, names.includes(databaseName));
  const [stranger] = names.filter((name) => name !== `${markerName}.new`);
  if (stranger !== undefined)
    throw new StartError('HF_DIRECTORY_FOREIGN', `${dataDir} holds ${stranger}, and no ${markerName}.`);
  await writeMarker(dataDir, 'making');
  return 'making';
}

/** With the names of all that had to be made on the way: otherwise power loss may take the whole directory away. */
async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= resolve(first).length; made = dirname(made)) await syncDirectory(dirname(made));
}

async function readMarker(dataDir: string, hasDatabase: boolean): Promise<Marker> {
  const text = await readFile(join(dataDir, markerName), 'utf8');
  const found = parsed(text);
  if (found.format !== undefined && found.format !== format) {
    throw new StartError(
      'HF_DIRECTORY_FORMAT',
      `${dataDir} has format ${JSON.stringify(found.format)}, and this version knows ${format}.`,
    );
  }
  if (found.state === 'making') return 'making';
  if (found.state === 'made' && hasDatabase) return 'made';
  throw new StartError(
    'HF_DIRECTORY_DAMAGED',
    `In ${dataDir}, ${found.state === 'made' ? `${databaseName} is missing` : `${markerName} is damaged`}.`,
  );
}

function parsed(text: string): { readonly format?: unknown; readonly state?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Whole or not at all, and on the disk when it resolves; with it the names of all that was made in the directory before. */
async function writeMarker(dataDir: string, state: Marker): Promise<void> {
  const path = join(dataDir, markerName);
  const file = await open(`${path}.new`, 'w');
  await file.writeFile(`${JSON.stringify({ format, state })}\n`);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  await syncDirectory(dataDir);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

type Bytes = Level<Uint8Array, Uint8Array>;

/**
 * Power loss while a database was being made may leave one that does not open: LevelDB does not sync the first file that it
 * writes. Nothing was acknowledged yet, so it is made anew. Only after LevelDB has looked at its lock.
 */
async function makeLevel(dataDir: string): Promise<Bytes> {
  try {
    return await openLevel(dataDir, true);
  } catch (error) {
    if (!(error instanceof StartError && error.code === 'HF_DIRECTORY_DAMAGED')) throw error;
    await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => rm(join(dataDir, databaseName), { recursive: true }));
    return await openLevel(dataDir, true);
  }
}

async function openLevel(dataDir: string, createIfMissing: boolean): Promise<Bytes> {
  const level: Bytes = new Level<Uint8Array, Uint8Array>(join(dataDir, databaseName), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing,
    // Fewer and larger tables: with 4 MiB a compaction stalled writes for a second under load.
    writeBufferSize: 16 * 1024 * 1024,
    compression: true,
  });
  try {
    await level.open();
    return level;
  } catch (error) {
    throw levelFault(dataDir, error);
  }
}

/** What LevelDB says, when it is opened or read, as a reason not to start. */
function levelFault(dataDir: string, error: unknown): StartError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  const says = `${dataDir}: ${cause instanceof Error ? cause.message : String(cause)}.`;
  if (code === 'LEVEL_LOCKED') return new StartError('HF_DIRECTORY_LOCKED', says, { cause: error });
  // A file that is gone or too short is an IO error to LevelDB, like a disk that does not answer.
  const isCut = /does not exist|No such file|Invalid argument|truncated/.test(says);
  if (code === 'LEVEL_CORRUPTION' || isCut) return new StartError('HF_DIRECTORY_DAMAGED', says, { cause: error });
  return new StartError('HF_DIRECTORY_UNREADABLE', says, { cause: error });
}

/**
 * What the store and LevelDB throw when a row can not be read has no code of ours yet.
 *
 * @returns StartError in their place, any other error as it is
 */
export function startFault(dataDir: string, error: unknown): unknown {
  if (error instanceof CorruptRow) {
    return new StartError('HF_DIRECTORY_DAMAGED', `${dataDir}: ${error.message}.`, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('LEVEL_') ? levelFault(dataDir, error) : error;
}

/** What raft and store ask of a database; each write is timed, since every acknowledgement waits for one. */
function timed(database: Database & StateReader, onWrite: (durationMs: number) => void) {
  const writes = new Set<{ readonly atMs: number }>();
  const timedDatabase: Database & StateReader = {
    getSync: (key: Uint8Array, options?: { readonly snapshot: Snapshot }) =>
      options === undefined ? database.getSync(key) : database.getSync(key, options),
    snapshot: () => database.snapshot(),
    // The same method of level twice: its two callers give ranges of different types.
    iterator: (range: Range | ScanOptions) =>
      'snapshot' in range ? database.iterator(range) : database.iterator(range),
    batch() {
      const batch = database.batch();
      return {
        put: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
        async write(options) {
          const started = { atMs: performance.now() };
          writes.add(started);
          try {
            await batch.write(options);
          } finally {
            writes.delete(started);
          }
          onWrite(performance.now() - started.atMs);
        },
      };
    },
  };
  // In order of their start: the first one is the oldest.
  const writingMs = (): number => {
    const [oldest] = writes;
    return oldest === undefined ? 0 : performance.now() - oldest.atMs;
  };
  return { database: timedDatabase, writingMs };
}
