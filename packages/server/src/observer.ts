// What a node notices by looking, because no event tells it: another leader elsewhere, and clocks that drift apart. Each is
// said once per change, not once per look.
import type { NodeId, RaftStatus } from '@holdfast/raft';
import type { MemberLog } from './member.ts';

export interface ObserverPorts {
  status(): Pick<RaftStatus, 'id' | 'term' | 'leader'>;
  skewMs(): ReadonlyMap<NodeId, number>;
  readonly maxClockSkewMs: number;
  readonly log: MemberLog;
}

export interface Observer {
  look(): void;
  /** How often another leader was seen, the first one included. */
  readonly leaderChanges: number;
}

export function createObserver(ports: ObserverPorts): Observer {
  let leaderChanges = 0;
  let seen: { readonly term: number; readonly leader: NodeId } | undefined;
  const skewed = new Set<NodeId>();

  const lookForLeader = (): void => {
    const { id, term, leader } = ports.status();
    if (leader === undefined || (seen?.term === term && seen.leader === leader)) return;
    seen = { term, leader };
    leaderChanges += 1;
    // The own leadership is said when it serves, with what it took.
    if (leader !== id) ports.log.info({ event: 'raft.follows', term, leader }, 'follows a leader');
  };
  const lookAtClocks = (): void => {
    for (const [node, skewMs] of ports.skewMs()) {
      const isBeyond = Math.abs(skewMs) > ports.maxClockSkewMs;
      if (isBeyond === skewed.has(node)) continue;
      const facts = { node, skewMs: Math.round(skewMs), maxClockSkewMs: ports.maxClockSkewMs };
      if (isBeyond) {
        skewed.add(node);
        ports.log.warn({ event: 'clock.skewed', ...facts }, 'a clock is further from the median than it may be');
      } else {
        skewed.delete(node);
        ports.log.info({ event: 'clock.agrees', ...facts }, 'a clock agrees with the others again');
      }
    }
  };

  return {
    look() {
      lookForLeader();
      lookAtClocks();
    },
    get leaderChanges() {
      return leaderChanges;
    },
  };
}
