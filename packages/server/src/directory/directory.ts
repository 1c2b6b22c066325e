// The data directory: one LevelDB for log and state, locked against a second process, and made only once. LevelDB makes a
// database that is not there, and does so as well when only its file CURRENT was lost: a node would come back empty and
// vote again. So the directory itself says whether it was made before (marker.ts).
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, Range } from '@holdfast/raft';
import type { ScanOptions, Snapshot, StateReader } from '@holdfast/store';
import { Level } from 'level';
import type { DiskPort } from '../member.ts';
import { StartError, type StartErrorCode } from '../start-error.ts';
import { levelFault } from './directory-fault.ts';
import {
  databaseName,
  type Marker,
  prepare,
  prepareRestore,
  requireMade,
  syncDirectory,
  writeMarker,
} from './marker.ts';

export interface OpenDirectory {
  readonly database: Database & StateReader;
  readonly disk: DiskPort;
  readonly close: () => Promise<void>;
}

/**
 * @param onWrite how long each synced batch took, in ms
 * @throws StartError HF_DIRECTORY_*
 */
export async function openDirectory(dataDir: string, onWrite: (durationMs: number) => void): Promise<OpenDirectory> {
  const marker = await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => prepare(dataDir));
  const level = await openAs(dataDir, marker);
  try {
    if (marker !== 'made') await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => writeMarker(dataDir, 'made'));
  } catch (error) {
    await level.close();
    throw error;
  }
  return opened(dataDir, level, onWrite);
}

/** A directory to which a backup is being restored. Until `finish` has resolved, no node starts on it. */
export interface RestoreDirectory extends OpenDirectory {
  /** What was restored is whole, and on the disk. */
  finish(): Promise<void>;
}

/**
 * A directory that is empty, does not exist yet, or holds a restore that did not come to its end.
 *
 * @throws StartError HF_DIRECTORY_NOT_EMPTY for any other
 */
export async function openToRestore(dataDir: string): Promise<RestoreDirectory> {
  await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => prepareRestore(dataDir));
  const level = await openAs(dataDir, 'restoring');
  return {
    ...opened(dataDir, level, () => undefined),
    finish: () => coded('HF_DIRECTORY_UNREADABLE', dataDir, () => writeMarker(dataDir, 'made')),
  };
}

/**
 * The directory of a node that was stopped. Makes none; LevelDB brings its own files in order, as at any start.
 *
 * @throws StartError HF_DIRECTORY_*
 */
export async function openToVerify(dataDir: string): Promise<OpenDirectory> {
  await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => requireMade(dataDir));
  return opened(dataDir, await openAs(dataDir, 'made'), () => undefined);
}

async function openAs(dataDir: string, marker: Marker): Promise<Bytes> {
  const level = marker === 'made' ? await openLevel(dataDir, false) : await makeLevel(dataDir);
  try {
    // LevelDB names its MANIFEST anew at each open, and leaves it to chance when that name reaches the disk: until then
    // power loss brings back the one before, of which nothing was synced after the first start.
    await coded('HF_DIRECTORY_UNREADABLE', dataDir, () => syncDirectory(join(dataDir, databaseName)));
    return level;
  } catch (error) {
    await level.close();
    throw error;
  }
}

function opened(dataDir: string, level: Bytes, onWrite: (durationMs: number) => void): OpenDirectory {
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
