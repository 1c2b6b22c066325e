// A leader that a majority does not answer is no leader (thesis 6.2): somewhere else there may be another.
import { graceHeartbeats } from '../bounds.ts';
import type { Own, Raft } from '../raft.ts';
import type { Progress } from '../replication/progress.ts';

export function isActive(raft: Raft, progress: Progress): boolean {
  return raft.now - progress.heardAt < raft.config.electionMaxTicks;
}

export function hasQuorum(raft: Raft, own: Own<'leader'>): boolean {
  const { roster } = raft;
  let active = roster.isVoter ? 1 : 0;
  for (const id of roster.otherVoters) {
    const progress = own.followers.get(id);
    if (progress !== undefined && isActive(raft, progress)) active += 1;
  }
  return active >= roster.majority;
}

/** This process stood still for longer than an election: its quorum must show itself again within a few heartbeats. */
export function doubtQuorum(raft: Raft, own: Own<'leader'>, pausedTicks: number): void {
  const { electionMinTicks, electionMaxTicks, heartbeatTicks } = raft.config;
  own.heartbeatDueAt = raft.now;
  if (pausedTicks < electionMinTicks) return;
  const heardAt = raft.now + graceHeartbeats * heartbeatTicks - electionMaxTicks;
  for (const progress of own.followers.values()) progress.heardAt = Math.min(progress.heardAt, heardAt);
}
