// Hands leadership over without waiting for a timeout (thesis 3.10): nothing new is proposed, the target gets everything,
// and then is told to stand at once. Its vote requests say so, or those who hear the leader would refuse them.
import { becomeCandidate, becomeFollower } from '../become.ts';
import { mayStand } from '../membership/in-force.ts';
import type { NodeId, TimeoutNow } from '../message.ts';
import { send } from '../outbox.ts';
import type { Own, Raft } from '../raft.ts';
import type { Transferred } from '../types.ts';
import { isActive } from './check-quorum.ts';

export function transferLeadership(raft: Raft, to: NodeId | undefined): Transferred {
  const { own } = raft;
  if (raft.stopping) return { kind: 'refused', reason: 'stopping' };
  if (own.role !== 'leader') return { kind: 'refused', reason: 'notLeader' };
  if (own.transfer !== undefined) return { kind: 'refused', reason: 'transferring' };
  const target = bestTarget(raft, own, to);
  if (target === undefined) return { kind: 'refused', reason: 'noTarget' };
  own.transfer = { to: target, dueAt: raft.now + raft.config.electionMaxTicks, asked: false };
  return { kind: 'started', to: target };
}

/** Of those that answer: the one named, or the one that has most, and of these the one that has applied most. */
function bestTarget(raft: Raft, own: Own<'leader'>, wanted: NodeId | undefined): NodeId | undefined {
  const voters = raft.roster.otherVoters.flatMap((id) => {
    const progress = own.followers.get(id);
    const suits = progress !== undefined && isActive(raft, progress) && (wanted === undefined || wanted === id);
    return suits ? [{ id, match: progress.match, applied: progress.applied }] : [];
  });
  return voters.sort((a, b) => b.match - a.match || b.applied - a.applied)[0]?.id;
}

/** Once a turn: the target is asked when it has everything, and again with every heartbeat. */
export function maybeHandOver(raft: Raft, { transfer, followers }: Own<'leader'>): void {
  if (transfer === undefined || transfer.asked) return;
  // One that lacks an entry could not win, or the entries between would be lost to their proposers.
  if (followers.get(transfer.to)?.match !== raft.log.lastIndex) return;
  transfer.asked = true;
  send(raft, transfer.to, { kind: 'timeoutNow', term: raft.term });
}

/** The target did not make it: this node leads on. */
export function maybeAbandon(raft: Raft, own: Own<'leader'>): void {
  if (own.transfer !== undefined && raft.now >= own.transfer.dueAt) own.transfer = undefined;
}

/** The process of the target is gone, so nothing is waited for. */
export function targetDown(own: Own<'leader'>, peer: NodeId): void {
  if (own.transfer?.to === peer) own.transfer = undefined;
}

/**
 * The removal of this leader is committed, by the others alone (thesis 4.2.2), so that its work is done; or its owner can do
 * nothing with leadership. Without the word to one of the others they would wait for an election timeout.
 */
export function resign(raft: Raft, own: Own<'leader'>): void {
  const successor = bestTarget(raft, own, undefined);
  if (successor !== undefined) send(raft, successor, { kind: 'timeoutNow', term: raft.term });
  becomeFollower(raft, raft.term, undefined);
}

/** Without a pre-vote: the leader itself wants to go. */
export function stepTimeoutNow(
  raft: Raft,
  own: Own<'follower' | 'preCandidate'>,
  message: TimeoutNow & { readonly from: NodeId },
): void {
  const leader = own.role === 'follower' ? own.leader : undefined;
  if (raft.stopping || !mayStand(raft) || (leader !== undefined && leader !== message.from)) return;
  becomeCandidate(raft, true);
}
