// The logs on all disks when a run is over: they open, they match, and applying them anew gives the states that were seen.
import type { LoggedEntry } from './check/evidence.ts';
import { differences, logMatchingSays } from './check/log-matching.ts';
import { readLog, replay } from './reader.ts';
import type { World } from './world/world.ts';

/**
 * @param hashes of the state, by applied index, as they were seen on any node
 * @returns the longest log
 */
export async function readLogs(world: World, hashes: ReadonlyMap<number, string>): Promise<readonly LoggedEntry[]> {
  const disks = world.machines.filter(({ damaged }) => damaged === undefined);
  const found = [];
  for (const { id, disk, founders } of disks) {
    try {
      found.push({ id, ...(await readLog(disk.tree, id, founders)) });
    } catch (error) {
      world.violations.push(`the log on a disk that nothing happened to opens: ${id}: ${String(error)}`);
    }
  }
  // What one of them has let go of may be found in others, and where members have changed only in those of former ones.
  for (const { id, entries, applied } of found) world.archive.keep(id, entries, applied);
  for (const { id, graves } of world.pool) {
    for (const { tree, founders } of graves) {
      const { entries, applied } = await readLog(tree, id, founders);
      world.archive.keep(id, entries, applied);
    }
  }
  for (const { id, faults } of found)
    world.violations.push(...faults.map((fault) => `the rows on a disk are those that were put: ${id}: ${fault}`));
  const logs = found.map(({ id, entries, firstIndex }) => ({ id, entries: world.archive.whole(entries, firstIndex) }));
  world.violations.push(...world.archive.faults.map((fault) => `what is committed is the same everywhere: ${fault}`));
  world.violations.push(...differences(logs).map((fault) => `${logMatchingSays}: ${fault}`));
  const upTo = Math.max(0, ...hashes.keys());
  const longest = logs.find(({ entries }) => (entries.at(-1)?.index ?? 0) >= upTo);
  if (longest === undefined) {
    world.violations.push(`what is committed stays: ${upTo} was applied, and no log reaches so far`);
    return [];
  }
  const replayed = await replay(longest.entries, upTo);
  world.violations.push(...replayed.faults.map((fault) => `the rows of the store fit together: ${fault}`));
  for (const [index, hash] of replayed.hashes) {
    const known = hashes.get(index);
    if (known !== undefined && known !== hash) {
      world.violations.push(
        `what is committed stays: applying the log of ${longest.id} anew gives another state at index ${index}`,
      );
      break;
    }
  }
  return replayed.log;
}
