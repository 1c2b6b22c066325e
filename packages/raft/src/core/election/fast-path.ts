// A dead process is news at once: its connection was reset and the next connect refused, or another boot answered. A
// follower then starts its pre-vote after a short random wait instead of a whole election timeout. When the news was
// wrong, the pre-vote finds no majority (everybody else hears the leader), and nothing has happened.
import { maxFastAttempts } from '../bounds.ts';
import type { NodeId } from '../message.ts';
import type { Own, Raft } from '../raft.ts';
import { draw } from './timer.ts';

/** The leader is gone: forget it, so that others get this node's vote, and stand soon. */
export function leaderDown(raft: Raft, own: Own<'follower'>, peer: NodeId): void {
  if (own.leader !== peer) return;
  own.leader = undefined;
  raft.fastAttempts = maxFastAttempts;
  raft.electionDueAt = Math.min(raft.electionDueAt, raft.now + draw(raft, 0, raft.config.fastElectionTicks));
}

export function hasEvidence(raft: Raft): boolean {
  return raft.down.size > 0 && raft.fastAttempts > 0;
}

/**
 * While the evidence stands, a round that finds no majority is repeated soon (the others may get the news a moment
 * later): this shortens the ordinary timeout, which was set before, as often as there are attempts left.
 */
export function retryEarly(raft: Raft): void {
  if (!hasEvidence(raft)) return;
  raft.fastAttempts -= 1;
  const { fastElectionTicks } = raft.config;
  const early = raft.now + draw(raft, fastElectionTicks + 1, 2 * fastElectionTicks + 1);
  raft.electionDueAt = Math.min(raft.electionDueAt, early);
}
