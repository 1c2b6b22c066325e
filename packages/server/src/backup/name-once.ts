// A name is given once: what has it stays, whoever else writes at the same time. `rename` would write over it.
import { link, open, rename, rm } from 'node:fs/promises';

/** What file systems without hard links say (FAT, exFAT, some network shares). */
const noLinks: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Gives the file at `temporary` the name `path`, and takes its old one. Where there are no hard links, the name is reserved
 * by an empty file first: a crash in that very moment leaves it empty, which is no backup by any reader's word.
 *
 * @returns whether it has it now; false: another file has it, and both are as they were
 * @throws what the file system says
 */
export async function nameOnce(temporary: string, path: string, linkFile: typeof link = link): Promise<boolean> {
  try {
    await linkFile(temporary, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!noLinks.has(codeOf(error))) throw error;
    return renameOnce(temporary, path);
  }
  await rm(temporary);
  return true;
}

async function renameOnce(temporary: string, path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close();
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await rename(temporary, path);
  return true;
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
