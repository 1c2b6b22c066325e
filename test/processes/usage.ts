// What processes cost, as Linux counts it.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const clockTicksPerSecond = 100;

/** CPU seconds, user and system, since the process started. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    ticks += Number(afterName[11]) + Number(afterName[12]);
  }
  return ticks / clockTicksPerSecond;
}

/**
 * Resident bytes of all of them together. `shared`: what several map (the program, libraries) counts for each of them, as
 * RSS has it; otherwise once (PSS of smaps_rollup, proc_pid_smaps(5)).
 */
export function residentBytes(pids: readonly number[], shared: 'each' | 'once'): number {
  const field = shared === 'each' ? /^Rss:\s+(\d+) kB/m : /^Pss:\s+(\d+) kB/m;
  let kib = 0;
  for (const pid of pids)
    kib += Number(field.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? Number.NaN);
  return kib * 1024;
}

export function diskBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    try {
      bytes += entry.isDirectory() ? diskBytes(path) : statSync(path).size;
    } catch {
      // LevelDB removed the file between the two calls.
    }
  }
  return bytes;
}
