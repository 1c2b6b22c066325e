// A directory for the first member of a new cluster, whose state comes from elsewhere: from a backup. The state is written
// beside an empty log and one turn flips to it, as when a snapshot is installed, so that a crash leaves an empty log or the
// whole state, and nothing between.
import { encodeConfiguration } from '../core/membership/configuration.ts';
import { type LevelLogOptions, openLevelLog } from '../log/level-log.ts';
import type { Effects } from '../state-machine.ts';

/** Where the rows are to stand, and the entry that they are as of: the log begins behind it. */
export interface RestoredAs {
  readonly generation: number;
  readonly index: number;
  readonly term: number;
}

/** Nobody has voted yet: the first election is for the term after it. */
const term = 1;

/**
 * To be called for a directory that no member was ever started on; after a crash, or after an error, again.
 *
 * @param options `applied`: of the state that the database holds; 0 when it holds none
 * @param rowsOf all puts of the state, in batches of moderate size; when it throws, nothing was restored
 * @throws what `openLevelLog` and `rowsOf` throw; RaftError HF_WRITE_FAILED, HF_DISK_FULL; AssertionError for a row that is
 * not of the generation that was named, or a delete
 */
export async function restoreLog(
  options: Pick<LevelLogOptions, 'database' | 'applied' | 'id' | 'random'>,
  rowsOf: (as: RestoredAs) => AsyncIterable<Effects>,
): Promise<void> {
  const { id } = options;
  const log = await openLevelLog({ ...options, members: [id] });
  const generation = await log.newGeneration();
  const index = log.lastIndex + 1;
  for await (const effects of rowsOf({ generation, index, term })) await log.writeImport(generation, effects);
  const alone = { id, incarnation: log.identity.incarnation, address: '' };
  await log.write({
    hardState: { term, vote: undefined },
    truncateFrom: undefined,
    entries: [],
    effects: [],
    restore: { index, term, configuration: encodeConfiguration({ voters: [alone], learners: [] }), generation },
  });
  await log.close();
}
