// The other join of raft and store, for a directory on which no node runs: a backup becomes the first state of a new cluster,
// with an epoch of its own; or every row of log and state is looked at.
import {
  type Database,
  type Effects,
  type RestoredAs,
  readGeneration,
  restoreLog,
  type VerifiedLog,
  verifyLog,
} from '@holdfast/raft';
import {
  type BackupHeader,
  openStore,
  readBackup,
  restoreRows,
  type VerifiedState,
  verifyState,
} from '@holdfast/store';
import { openToRestore, openToVerify } from '../directory/directory.ts';
import { directoryFault } from '../directory/directory-fault.ts';
import { BackupFault, backupFaultOf } from './backup-fault.ts';
import { piecesOf, verifyBackupFile } from './file.ts';

export interface RestoreOptions {
  readonly path: string;
  /** Empty, or not there yet. */
  readonly dataDir: string;
  /** The name of the node that is to be started on it. */
  readonly id: string;
  /** Ms since the epoch. */
  readonly nowMs: number;
}

export interface Restored {
  readonly header: BackupHeader;
  /** Of the new cluster. */
  readonly epoch: number;
  readonly rows: number;
}

/**
 * @throws BackupFault HF_BACKUP_*: the directory was not touched, or is one that no node starts on
 * @throws StartError HF_DIRECTORY_*, RaftError
 */
export async function restoreBackup({ path, dataDir, id, nowMs }: RestoreOptions): Promise<Restored> {
  // All of it first: a damaged file leaves no trace in the directory.
  const { header, rows, faults } = await verifyBackupFile(path);
  if (faults[0] !== undefined) throw new BackupFault('HF_BACKUP_DAMAGED', `${path}: ${faults[0]}.`);
  const epoch = Math.max(header.epoch + 1, Math.floor(nowMs / 1_000));
  const directory = await openToRestore(dataDir);
  try {
    const { database } = directory;
    const { applied } = await openStore({ database, generation: await readGeneration(database) });
    await restoreLog({ database, applied: applied.index, id, random: Math.random }, (as) => rowsIn(path, epoch, as));
    await directory.finish();
  } catch (error) {
    throw directoryFault(dataDir, error);
  } finally {
    await directory.close();
  }
  return { header, epoch, rows };
}

async function* rowsIn(path: string, epoch: number, { generation, index, term }: RestoredAs): AsyncGenerator<Effects> {
  try {
    yield* restoreRows(await readBackup(piecesOf(path)), { generation, epoch, applied: { index, term } });
  } catch (error) {
    throw backupFaultOf(path, error);
  }
}

export interface VerifiedDirectory {
  readonly log: VerifiedLog;
  /** Undefined where the log does not say which of the states in the directory is the one in use. */
  readonly state: VerifiedState | undefined;
  readonly faults: readonly string[];
}

/**
 * @throws StartError HF_DIRECTORY_LOCKED while a node runs on it, and other HF_DIRECTORY_* where there is nothing to walk
 */
export async function verifyDirectory(dataDir: string): Promise<VerifiedDirectory> {
  const { database, close } = await openToVerify(dataDir);
  try {
    const generation = await generationIn(database);
    const state = generation === undefined ? undefined : await verifyState({ database, generation });
    const log = await verifyLog(database, state?.applied.index ?? 0);
    return { log, state, faults: [...log.faults, ...(state?.faults ?? [])] };
  } catch (error) {
    throw directoryFault(dataDir, error);
  } finally {
    await close();
  }
}

/** Undefined where that can not be read; the walk over the log says why. */
async function generationIn(database: Database): Promise<number | undefined> {
  try {
    return await readGeneration(database);
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('HF_LOG_')) return undefined;
    throw error;
  }
}
