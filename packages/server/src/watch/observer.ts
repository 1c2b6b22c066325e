// What a node notices by looking, because no event tells it: another leader elsewhere, and clocks that drift apart. Each is
// said once per change, not once per look.
import type { NodeId, RaftStatus } from '@holdfast/raft';
import type { Skew } from '@holdfast/scheduler';
import type { MemberLog } from '../member.ts';

export interface ObserverPorts {
  status(): Pick<RaftStatus, 'id' | 'term' | 'leader'>;
  skewed(): readonly Skew[];
  clockBehindMs(): number;
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
  const skewed = new Set<string>();
  let isBehind = false;

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
