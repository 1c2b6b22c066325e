// When does a node stand for election, and what does it wait for?
import { becomePreCandidate } from '../become.ts';
import { backlogPatienceElections } from '../bounds.ts';
import { mayStand } from '../membership/in-force.ts';
import { isHardStateDurable, type Raft } from '../raft.ts';

/** To be called whenever time passes or a reason to wait may be gone. Not for a leader. */
export function maybeCampaign(raft: Raft): void {
  if (raft.now < raft.electionDueAt) return;
  if (raft.own.role === 'follower') raft.own.leader = undefined;
  // A learner, one that joins, and one that was removed: their terms would only disturb (thesis 4.2.1, 4.2.2).
  if (!mayStand(raft)) return;
  if (raft.stopping || waitsForBacklog(raft)) return;
  // Term and vote are still being written, and no request for votes leaves before they are on the disk. A new term would need
  // another write: on a slow disk each of them would come too late.
  if (!isHardStateDurable(raft)) return;
  becomePreCandidate(raft);
}

/**
 * A new leader must apply what is committed before it can serve. One that has a backlog leaves the election to those
 * that have none, but not for ever: without a move of apply it stands all the same.
 */
function waitsForBacklog(raft: Raft): boolean {
  if (raft.applied >= raft.commit) return false;
  const waitingSince = Math.max(raft.electionDueAt, raft.appliedAt);
  return raft.now - waitingSince < backlogPatienceElections * raft.config.electionMaxTicks;
}
