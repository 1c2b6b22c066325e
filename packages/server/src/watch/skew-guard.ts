// A leader whose own clock is the wrong one hands over to a node whose clock is right. With three clocks its wall time
// moves nothing, since entries are stamped with the median; but with one node less it would be one of two, and the judge.
// It goes at most once in a while: where clocks disagree, each leader may think the next one better.
import type { Clock, NodeId, RaftStatus } from '@holdfast/raft';
import type { Skew } from '@holdfast/scheduler';
import type { MemberLog } from '../member.ts';

export interface SkewGuardPorts {
  readonly self: NodeId;
  status(): Pick<RaftStatus, 'role' | 'followers'>;
  /** Of three known clocks or more, those that are further from the median than they may be. */
  skewed(): readonly Skew[];
  /** The clocks that are known. */
  skewMs(): ReadonlyMap<NodeId, number>;
  /** @returns whether it has begun */
  handOver(to: NodeId): boolean;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly log: MemberLog;
}

export interface SkewGuard {
  look(): void;
  /** How often this node handed over because of its clock. */
  readonly handOvers: number;
}

/** A clock that is being set agrees again by then. */
export const skewLastsMs = 5_000;
export const restMs = 300_000;

export function createSkewGuard(ports: SkewGuardPorts): SkewGuard {
  const { self, clock, log } = ports;
  let wrongSinceMs: number | undefined;
  let restsUntilMs = Number.NEGATIVE_INFINITY;
  let handOvers = 0;

  return {
    look() {
      const nowMs = clock.monotonicMs();
      const own = ports.skewed().find(({ voter }) => voter === self);
      const { role, followers } = ports.status();
      if (own === undefined || role !== 'leader') {
        wrongSinceMs = undefined;
        return;
      }
      wrongSinceMs ??= nowMs;
      if (nowMs - wrongSinceMs < skewLastsMs || nowMs < restsUntilMs) return;
      const to = betterLeader(followers, ports.skewed(), ports.skewMs());
      // One that is refused is tried again, but not with every look.
      wrongSinceMs = nowMs;
      if (to === undefined || !ports.handOver(to)) return;
      handOvers += 1;
      restsUntilMs = nowMs + restMs;
      log.warn(
        { event: 'clock.handsOver', to, skewMs: own.skewMs },
        'hands leadership over because its clock is wrong',
      );
    },
    get handOvers() {
      return handOvers;
    },
  };
}

/** Has a vote, answers, has a clock that is known and right, and has most of the log: it can take over soonest. */
function betterLeader(
  followers: RaftStatus['followers'],
  skewed: readonly Skew[],
  known: ReadonlyMap<NodeId, number>,
): NodeId | undefined {
  const wrong = new Set(skewed.map(({ voter }) => voter));
  return [...followers]
    .filter(([id, { voter, recentlyActive }]) => voter && recentlyActive && known.has(id) && !wrong.has(id))
    .sort(([, a], [, b]) => b.match - a.match || b.applied - a.applied)[0]?.[0];
}
