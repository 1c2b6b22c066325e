// The file of a backup: read in pieces, and written so that a file of its name is whole or is not there.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type VerifiedBackup, verifyBackup } from '@holdfast/store';
import { syncDirectory } from '../directory/marker.ts';
import { BackupFault, backupFaultOf } from './backup-fault.ts';
import { nameOnce } from './name-once.ts';

const pieceBytes = 1024 * 1024;

/** @throws BackupFault HF_BACKUP_* when it can not be read to its end; what is wrong in a file that can be is a fault in it */
export async function verifyBackupFile(path: string): Promise<VerifiedBackup> {
  try {
    return await verifyBackup(piecesOf(path));
  } catch (error) {
    throw backupFaultOf(path, error);
  }
}

/** What it has, in order. The file is open from the first piece on until the last one, or until it is given up. */
export async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * Writes a backup under a temporary name while every checksum in it is checked, and gives it its own when all of it is
 * sound and on the disk. A crash leaves at most the temporary file (and see `nameOnce`).
 *
 * @param pieces as they come; taken as fast as the disk takes them
 * @throws BackupFault HF_BACKUP_*, and what `pieces` throws: then this backup has not got the name
 */
export async function keepBackup(path: string, pieces: AsyncIterable<Uint8Array>): Promise<VerifiedBackup> {
  try {
    if (await exists(path)) throw new BackupFault('HF_BACKUP_EXISTS', `${path}.`);
    // By chance and not by process: in two containers with one volume, two processes have the same number.
    const temporary = `${path}.${randomBytes(6).toString('hex')}.part`;
    const file = await open(temporary, 'wx');
    let verified: VerifiedBackup;
    try {
      verified = await writeVerified(file, pieces);
      const [fault] = verified.faults;
      if (fault !== undefined) throw new BackupFault('HF_BACKUP_DAMAGED', `${path}: ${fault}.`);
      if (!(await nameOnce(temporary, path))) throw new BackupFault('HF_BACKUP_EXISTS', `${path}.`);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncDirectory(dirname(resolve(path)));
    return verified;
  } catch (error) {
    throw backupFaultOf(path, error);
  }
}

async function writeVerified(file: FileHandle, pieces: AsyncIterable<Uint8Array>): Promise<VerifiedBackup> {
  try {
    const verified = await verifyBackup(written(file, pieces));
    await file.sync();
    return verified;
  } finally {
    await file.close();
  }
}

async function* written(file: FileHandle, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    await file.writeFile(piece);
    yield piece;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
