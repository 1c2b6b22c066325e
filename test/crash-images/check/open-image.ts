// An image, opened as a program opens a store on its directory; and afterwards its log and its state, row by row.
import { type HardState, type LogStore, openLevelLog, readGeneration } from '@holdfast/raft';
import { directoryFault, openDirectory } from '@holdfast/server';
import { openStore } from '@holdfast/store';
import { Holdfast, type HoldfastStore } from 'holdfast';

/** @throws StartError, RaftError: what the start was refused with */
export async function withStore(dataDir: string, use: (store: HoldfastStore) => Promise<void>): Promise<void> {
  const store = await Holdfast.open({ dataDir });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

export interface OpenedMember {
  readonly hardState: HardState;
  readonly lastIndex: number;
  /** As sentences. */
  readonly faults: readonly string[];
}

/**
 * Reads every entry of the log and every row of the state, as they lie on the disk.
 *
 * @throws what the start was refused with
 */
export async function openMember(dataDir: string, id: string, members: readonly string[]): Promise<OpenedMember> {
  try {
    const directory = await openDirectory(dataDir, () => undefined);
    try {
      const { database } = directory;
      const store = await openStore({ database, generation: await readGeneration(database) });
      const log = await openLevelLog({ database, applied: store.applied.index, id, members, random: Math.random });
      const { hardState, lastIndex } = log;
      return { hardState, lastIndex, faults: [...walk(log), ...(await store.check())] };
    } finally {
      await directory.close();
    }
  } catch (error) {
    throw directoryFault(dataDir, error);
  }
}

function walk(log: LogStore): readonly string[] {
  for (let index = log.firstIndex; index <= log.lastIndex; ) {
    const entries = log.entries(index, log.lastIndex, 2 ** 20);
    if (entries.length === 0) return [`the log shows nothing from index ${index} on`];
    index += entries.length;
  }
  return [];
}
