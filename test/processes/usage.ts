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

/** Resident bytes; pages that processes share count for each. */
export function residentBytes(pids: readonly number[]): number {
  let kib = 0;
  for (const pid of pids)
    kib += Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
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
