// May I grant this? Every reason to refuse has its line.
import { becomeFollower } from '../become.ts';
import type { NodeId, VoteRequest } from '../message.ts';
import { send } from '../outbox.ts';
import type { Raft } from '../raft.ts';
import { leaderOf } from '../raft.ts';
import { hasEvidence, retryEarly } from './fast-path.ts';
import { hearsLeader, resetElectionTimer } from './timer.ts';

type Request = VoteRequest & { readonly from: NodeId };

/** Changes no term, no vote and no voter's election timer: a voter may grant to many, and none of them may win. */
export function answerPreVote(raft: Raft, request: Request): void {
  const granted = !hearsLeader(raft, request.from) && mayVoteFor(raft, request) && !standsFirst(raft, request);
  send(raft, request.from, { kind: 'preVoteResponse', term: granted ? request.term : raft.term, granted });
  if (granted && raft.own.role === 'preCandidate' && hasEvidence(raft)) {
    becomeFollower(raft, raft.term, undefined);
    retryEarly(raft);
  }
}

/** Requests of a later term have raised the own term before this (term.ts). A grant waits for the disk. */
export function answerVote(raft: Raft, request: Request): void {
  const granted = request.term === raft.term && mayVoteFor(raft, request);
  if (granted) {
    becomeFollower(raft, raft.term, undefined);
    if (raft.vote === undefined) raft.promisedAt = raft.now;
    raft.vote = request.from;
    resetElectionTimer(raft);
  }
  send(raft, request.from, { kind: 'voteResponse', term: raft.term, granted });
}

function mayVoteFor(raft: Raft, request: Request): boolean {
  if (request.term < raft.term) return false;
  if (request.term === raft.term) {
    if (leaderOf(raft) !== undefined) return false; // this election is decided
    if (raft.vote !== undefined && raft.vote !== request.from) return false; // one vote a term
  }
  return raft.log.isUpToDate(request.lastIndex, request.lastTerm); // thesis 3.6.1
}

/**
 * After the death of a leader all followers stand within milliseconds, would all win the pre-vote, and split the vote. Of
 * two with the same log that meet in the pre-vote the one with the earlier name refuses, and the other makes room. Only
 * while the evidence stands, which is a few rounds: one that cannot win must not hold up another for ever.
 */
function standsFirst(raft: Raft, request: Request): boolean {
  if (raft.own.role !== 'preCandidate' || !hasEvidence(raft)) return false;
  const { lastIndex, lastTerm } = raft.log;
  return request.lastIndex === lastIndex && request.lastTerm === lastTerm && raft.config.id < request.from;
}
