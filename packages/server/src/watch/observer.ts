// What a node notices by looking, because no event tells it: another leader elsewhere, clocks that drift apart, and a disk
// that does not answer. Each is said once per change, not once per look.
import { driverBounds, type NodeId, type RaftStatus } from '@holdfast/raft';
import type { Skew } from '@holdfast/scheduler';
import type { MemberLog } from '../member.ts';

export interface ObserverPorts {
  status(): Pick<RaftStatus, 'id' | 'term' | 'leader' | 'snapshots'>;
  skewed(): readonly Skew[];
  clockBehindMs(): number;
  readonly maxClockSkewMs: number;
  /** How long the write under way has taken so far. */
  writingMs(): number;
  readonly log: MemberLog;
}

export interface Observer {
  /** `wasPaused`: the process stood still until now, which is not the disk's doing. */
  look(now: { readonly wasPaused: boolean }): void;
  /** How often another leader was seen, the first one included. */
  readonly leaderChanges: number;
}

export function createObserver(ports: ObserverPorts): Observer {
  let leaderChanges = 0;
  let seen: { readonly term: number; readonly leader: NodeId } | undefined;
  const skewed = new Set<string>();
  let isBehind = false;
  let stalledMs: number | undefined;

  const lookForSnapshots = snapshotsOf(ports);

  const lookForLeader = (): void => {
    const { id, term, leader } = ports.status();
    if (leader === undefined || (seen?.term === term && seen.leader === leader)) return;
    seen = { term, leader };
    leaderChanges += 1;
    // The own leadership is said when it serves, with what it took.
    if (leader !== id) ports.log.info({ event: 'raft.follows', term, leader }, 'follows a leader');
  };
  const { maxClockSkewMs, log } = ports;
  const lookAtClocks = (): void => {
    const now = new Map(ports.skewed().map(({ voter, skewMs }) => [voter, skewMs]));
    for (const [node, skewMs] of now) {
      if (skewed.has(node)) continue;
      skewed.add(node);
      const facts = { node, skewMs, maxClockSkewMs };
      log.warn({ event: 'clock.skewed', ...facts }, 'a clock is further from the median than it may be');
    }
    for (const node of skewed) {
      if (now.has(node)) continue;
      skewed.delete(node);
      log.info({ event: 'clock.agrees', node, maxClockSkewMs }, 'a clock agrees with the others again');
    }
    const behindMs = ports.clockBehindMs();
    if (behindMs > maxClockSkewMs === isBehind) return;
    isBehind = !isBehind;
    if (isBehind)
      log.error({ event: 'clock.behind', behindMs }, 'the clocks were set back; deliveries wait until they catch up');
    else log.info({ event: 'clock.caughtUp', behindMs }, 'the clocks caught up; deliveries go on');
  };

  const lookAtDisk = (): void => {
    const writingMs = Math.round(ports.writingMs());
    if (writingMs > driverBounds.diskStallMs) {
      if (stalledMs === undefined) log.warn({ event: 'disk.stalled', writingMs }, 'a write to the disk does not end');
      stalledMs = writingMs;
    } else if (stalledMs !== undefined) {
      log.info({ event: 'disk.answers', stalledMs }, 'the disk answers again');
      stalledMs = undefined;
    }
  };

  return {
    look({ wasPaused }) {
      lookForLeader();
      lookForSnapshots();
      lookAtClocks();
      if (!wasPaused) lookAtDisk();
    },
    get leaderChanges() {
      return leaderChanges;
    },
  };
}

function snapshotsOf(ports: ObserverPorts): () => void {
  let seen = 0;
  return () => {
    const { installed } = ports.status().snapshots;
    if (installed > seen) ports.log.info({ event: 'raft.snapshot' }, 'the whole state was sent by the leader');
    seen = installed;
  };
}
