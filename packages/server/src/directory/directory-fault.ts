// What LevelDB and the store throw when the directory is not what was written, or does not answer: they have no code of ours.
// It is a reason not to start, and for a node that runs, to stop: what else it would answer is not known.
import { CorruptRow } from '@holdfast/store';
import { StartError } from '../start-error.ts';

/** Whether a read met damage, or a disk that does not answer. */
export function isDirectoryFault(error: unknown): boolean {
  return isDamage(error) || isOfDisk(error);
}

/**
 * @param error whatever made a node refuse its start, or stop
 * @returns StartError in place of what has no code and is the directory's, any other error as it is
 */
export function directoryFault<E>(dataDir: string, error: E): E | StartError {
  if (error instanceof StartError) return error;
  // Damage is damage wherever it is met: LevelDB tells a write of what it found while it put its tables together, and an
  // entry can not be applied to rows that can not be read.
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (isDamage(cause)) return damaged(`${dataDir}: ${cause.message}.`, error);
  }
  return codeOf(error).startsWith('LEVEL_') || isOfDisk(error) ? levelFault(dataDir, error) : error;
}

/** What LevelDB says, when it is opened or read. */
export function levelFault(dataDir: string, error: unknown): StartError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const says = `${dataDir}: ${cause instanceof Error ? cause.message : String(cause)}.`;
  if (codeOf(cause) === 'LEVEL_LOCKED') return new StartError('HF_DIRECTORY_LOCKED', says, { cause: error });
  // A file that is gone or too short is an IO error to LevelDB, like a disk that does not answer.
  const isCut = /does not exist|No such file|Invalid argument|truncated/.test(says);
  if (isDamage(cause) || isCut) return damaged(says, error);
  return new StartError('HF_DIRECTORY_UNREADABLE', says, { cause: error });
}

const damaged = (says: string, cause: unknown): StartError => new StartError('HF_DIRECTORY_DAMAGED', says, { cause });

const isDamage = (error: unknown): boolean => error instanceof CorruptRow || codeOf(error) === 'LEVEL_CORRUPTION';

/** A read that does not wait is without a code for it. */
const isOfDisk = (error: unknown): boolean =>
  codeOf(error) === 'LEVEL_IO_ERROR' || (error instanceof Error && error.message.startsWith('IO error: '));

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
