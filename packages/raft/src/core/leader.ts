// Walk 6/15: what a leader does: proposals get their index, answers move it on, time makes it doubt.
// From raft/driver/group-commit.ts, on to raft/driver/loop.ts.
import { becomeFollower } from './become.ts';
import { hasQuorum } from './election/check-quorum.ts';
import { maybeAbandon } from './election/transfer.ts';
import type { AppendResponse, HeartbeatResponse, NodeId } from './message.ts';
import type { Own, Raft } from './raft.ts';
import { maybeCommit } from './replication/commit.ts';
import type { Proposed } from './types.ts';

export function propose(raft: Raft, payload: Uint8Array): Proposed {
  const { own, log, term } = raft;
  if (raft.stopping) return { kind: 'refused', reason: 'stopping' };
  if (own.role !== 'leader') return { kind: 'refused', reason: 'notLeader' };
  // A leader that is being removed hands over, too: what it appended now would be in doubt when it is gone.
  if (own.transfer !== undefined || !raft.roster.isVoter) return { kind: 'refused', reason: 'transferring' };
  if (!own.uncommitted.hasRoomFor(payload.length)) return { kind: 'refused', reason: 'tooManyUncommitted' };
  const index = log.lastIndex + 1;
  log.append(raft.config.encode(index, term, 'commands', payload));
  own.uncommitted.add(index, payload.length);
  return { kind: 'appended', index, term };
}

export function stepAppendResponse(
  raft: Raft,
  own: Own<'leader'>,
  response: AppendResponse & { readonly from: NodeId },
): void {
  const progress = own.followers.get(response.from);
  if (progress === undefined) return;
  progress.heardAt = raft.now;
  progress.applied = response.applied;
  if (response.accepted) {
    progress.accept(response.index, raft.now);
    maybeCommit(raft, own);
  } else {
    progress.reject(response.index, raft.log.lastWithTermUpTo(response.hintIndex, response.hintTerm));
  }
}

export function stepHeartbeatResponse(
  raft: Raft,
  own: Own<'leader'>,
  response: HeartbeatResponse & { readonly from: NodeId },
): void {
  const progress = own.followers.get(response.from);
  if (progress === undefined) return;
  progress.heardAt = raft.now;
  progress.applied = response.applied;
  progress.round = Math.max(progress.round, Math.min(response.round, own.round));
  progress.maybeResend(raft.now);
}

export function tickLeader(raft: Raft, own: Own<'leader'>): void {
  if (!hasQuorum(raft, own)) {
    becomeFollower(raft, raft.term, undefined);
    return;
  }
  maybeAbandon(raft, own);
  if (raft.now < own.heartbeatDueAt) return;
  own.heartbeatDueAt = raft.now + raft.config.heartbeatTicks;
  if (own.transfer !== undefined) own.transfer.asked = false; // it may be lost
  for (const progress of own.followers.values()) progress.heartbeatOwed = true;
}

/** A state of more than is committed is none of this term's cluster. */
export function snapshotInstalled(raft: Raft, own: Own<'leader'>, peer: NodeId, index: number): void {
  if (index <= raft.commit) own.followers.get(peer)?.snapshotInstalled(index);
}

/** The connection to a follower broke: what was in flight may be lost. */
export function probeAgain(own: Own<'leader'>, peer: NodeId): void {
  own.followers.get(peer)?.becomeProbe();
}

/**
 * The own disk stands still. A leader gives up its office only when a majority of others is durable beyond it: where
 * all nodes share a disk all of them stall together, and another leader would be no better off.
 */
export function maybeYieldToFasterDisks(raft: Raft, own: Own<'leader'>): void {
  let beyond = 0;
  for (const id of raft.roster.otherVoters) {
    if ((own.followers.get(id)?.match ?? 0) > raft.log.stableIndex) beyond += 1;
  }
  if (beyond >= raft.roster.majority) becomeFollower(raft, raft.term, undefined);
  else maybeTryOthers(raft, own);
}

/**
 * The write that hangs may hold effects alone, and while it hangs no proposal is appended: then there is no entry that the
 * others could be durable beyond it with, and it would lead for as long as its disk hangs. So it appends an empty one. Not while
 * leadership is handed over, since the target has everything, and not where the others could not elect anybody.
 */
function maybeTryOthers(raft: Raft, own: Own<'leader'>): void {
  const { log, roster, config, term } = raft;
  if (log.lastIndex > log.stableIndex || own.transfer !== undefined) return;
  if (roster.otherVoters.length < roster.majority) return;
  log.append(config.encode(log.lastIndex + 1, term, 'empty', new Uint8Array(0)));
}
