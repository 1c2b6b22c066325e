// Pre-vote and vote are one count, twice.
import { becomeCandidate, becomeFollower, becomeLeader } from './become.ts';
import { retryEarly } from './election/fast-path.ts';
import type { NodeId, VoteResponse } from './message.ts';
import type { Own, Raft } from './raft.ts';
import { isHardStateDurable } from './raft.ts';

type Response = VoteResponse & { readonly from: NodeId };

/** A refusal of a later term has made a follower of this node before (election/term.ts). */
export function stepPreVoteResponse(raft: Raft, own: Own<'preCandidate'>, response: Response): void {
  if (response.granted && response.term !== raft.term + 1) return; // of an earlier round
  own.tally.count(response.from, response.granted);
  if (own.tally.won) becomeCandidate(raft, false);
  else maybeLose(raft, own);
}

export function stepVoteResponse(raft: Raft, own: Own<'candidate'>, response: Response): void {
  own.tally.count(response.from, response.granted);
  maybeWin(raft, own);
  if (raft.own === own) maybeLose(raft, own);
}

/** The own voice counts once it is durable, and not before: after a crash this node could vote for another. */
export function countOwnVote(raft: Raft, own: Own<'candidate'>): void {
  if (!isHardStateDurable(raft)) return;
  own.tally.count(raft.config.id, true);
  maybeWin(raft, own);
}

/** No majority can come together any more: do not wait for the timeout. */
export function maybeLose(raft: Raft, own: Own<'preCandidate' | 'candidate'>): void {
  if (!own.tally.isLost(raft.down)) return;
  becomeFollower(raft, raft.term, undefined);
  retryEarly(raft);
}

function maybeWin(raft: Raft, own: Own<'candidate'>): void {
  if (own.tally.won && isHardStateDurable(raft)) becomeLeader(raft);
}
