// May I grant this? Every reason to refuse has its line.
import { becomeFollower } from '../become.ts';
import type { NodeId, VoteRequest } from '../message.ts';
import { send } from '../outbox.ts';
import type { Raft } from '../raft.ts';
import { leaderOf } from '../raft.ts';
import { hearsLeader, resetElectionTimer } from './timer.ts';

type Request = VoteRequest & { readonly from: NodeId };

/** Changes nothing here: not the term, not the vote, not the election timer (a voter may grant to many). */
export function answerPreVote(raft: Raft, request: Request): void {
  const granted = !hearsLeader(raft) && mayVoteFor(raft, request);
  send(raft, request.from, { kind: 'preVoteResponse', term: granted ? request.term : raft.term, granted });
}

/** Requests of a later term have raised the own term before this (term.ts). A grant waits for the disk. */
export function answerVote(raft: Raft, request: Request): void {
  const granted = request.term === raft.term && mayVoteFor(raft, request);
  if (granted) {
    becomeFollower(raft, raft.term, undefined);
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
