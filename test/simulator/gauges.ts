// What a cluster holds, and must not hold more of from day to day: on its disks, and in the memory of its processes.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Machine } from './world/machine.ts';

export type Gauges = Readonly<Record<string, number>>;

/** By the numbers that the keyspaces of raft and store give their tables; one that is missing here is told by its number. */
const tableNames: Readonly<Record<string, string>> = {
  '01 10': 'identity',
  '01 20': 'generations',
  '01 30': 'turn rows',
  '01 40': 'entry rows',
  '01 50': 'term runs',
  '01 60': 'configurations',
  '02 01': 'meta rows',
  '02 02': 'topics',
  '02 03': 'groups',
  '02 10': 'message rows',
  '02 11': 'hold rows',
  '02 12': 'retry rows',
  '02 15': 'answer rows',
  '02 16': 'ended rows',
  '02 18': 'answer times',
  '02 19': 'ended times',
  '02 ff': 'fences',
};

/** Of a machine that runs; nothing of one that does not. */
export function gaugesOf({ disk, member }: Machine): Gauges {
  const status = member?.status();
  if (status === undefined) return {};
  const { raft, scheduler } = status;
  const { rows, bytes } = disk.measure();
  return {
    'disk bytes': bytes,
    ...Object.fromEntries([...rows].map(([table, count]) => [tableNames[table] ?? `rows in ${table}`, count])),
    'log entries': raft.lastIndex - raft.firstIndex + 1,
    'log bytes': raft.logBytes,
    'proposals that wait': raft.waitingProposals,
    'entries that wait for apply': raft.waitingEntries,
    'uncommitted bytes': raft.uncommittedBytes,
    'reads that wait': raft.waitingReads,
    'appends in flight': Math.max(0, ...[...raft.followers.values()].map(({ inflight }) => inflight)),
    'generations to be swept': raft.snapshots.sweeping,
    'members known': raft.members.size,
    'receives that wait': scheduler?.waitingReceives ?? 0,
    leases: scheduler?.leases ?? 0,
    'positions in windows': scheduler?.windowPositions ?? 0,
    'proposals of the scheduler': scheduler?.proposalsInFlight ?? 0,
    'requests in progress': status.requestsInProgress,
  };
}

/** What this process holds, garbage apart, in the heap and in buffers: all members, their disks, and the simulator around them. */
export function memoryBytes(): number {
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  if (typeof collectGarbage !== 'function') throw new Error('this Node collects no garbage when it is asked to');
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** The most of each. */
export function highest(all: readonly Gauges[]): Gauges {
  const most: Record<string, number> = {};
  for (const gauges of all)
    for (const [name, value] of Object.entries(gauges)) most[name] = Math.max(most[name] ?? 0, value);
  return most;
}

/** A day is not like the other: so much more, as a share and in the gauge's unit, is no growth yet. */
const share = 0.05;
const units = { bytes: 4 * 1024, others: 12 };

/** @returns a sentence for each that is higher on the later day than chance explains */
export function grown(early: Gauges, late: Gauges): readonly string[] {
  return Object.entries(late).flatMap(([name, value]) => {
    const before = early[name] ?? 0;
    const most = Math.floor(before * (1 + share)) + (name.endsWith('bytes') ? units.bytes : units.others);
    return value > most ? [`${name} grow from ${before} to ${value}, above ${most}`] : [];
  });
}
