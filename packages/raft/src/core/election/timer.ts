// Whether a leader is heard, and how long this node waits for one. All times are ticks.
import { diskPatienceElections, graceHeartbeats } from '../bounds.ts';
import type { NodeId } from '../message.ts';
import type { Raft } from '../raft.ts';

/** A whole number from `min` to `max`, both included. */
export function draw(raft: Raft, min: number, max: number): number {
  return min + Math.floor(raft.config.random() * (max - min + 1));
}

/** Drawn anew each time, so that two nodes that collided once do not collide for ever (thesis 3.4). */
export function resetElectionTimer(raft: Raft): void {
  const { electionMinTicks, electionMaxTicks } = raft.config;
  // One that is alone waits for nobody.
  raft.electionDueAt = raft.now + (raft.roster.isAlone ? 1 : draw(raft, electionMinTicks, electionMaxTicks));
}

/**
 * To be called when the vote is on the disk: only now does it leave. So the election timeout begins now, and a candidate gives
 * the disks of the others the time that its own took: on disks that take half a timeout for a write nobody would ever be elected
 * otherwise. Whoever withdrew meanwhile, because its disk hung, waits for nothing of this.
 */
export function voteLeaves(raft: Raft): void {
  const { own, vote, now, promisedAt, config } = raft;
  if (own.role === 'candidate') {
    resetElectionTimer(raft);
    raft.electionDueAt += Math.min(now - promisedAt, diskPatienceElections * config.electionMaxTicks);
  } else if (own.role === 'follower' && own.leader === undefined && vote !== undefined && vote !== config.id) {
    resetElectionTimer(raft);
  }
}

/**
 * A leader that was heard within the shortest election timeout is alive, and nobody helps to replace it (thesis 4.2.3).
 * Only its own candidacy for a later term says that it leads no more.
 */
export function hearsLeader(raft: Raft, candidate: NodeId): boolean {
  if (raft.own.role === 'leader') return true;
  if (raft.own.role !== 'follower' || raft.own.leader === undefined || raft.own.leader === candidate) return false;
  return raft.now - raft.leaderHeardAt < raft.config.electionMinTicks;
}

/**
 * This process stood still. What it last heard from the leader is older than its ticks say; on the other hand the
 * leader's heartbeats may lie in the sockets, so it waits for those before it campaigns.
 */
export function agePatience(raft: Raft, ticks: number): void {
  raft.leaderHeardAt -= ticks;
  raft.electionDueAt = Math.max(raft.electionDueAt, raft.now + graceHeartbeats * raft.config.heartbeatTicks);
}
