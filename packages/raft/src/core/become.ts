// The changes of role (thesis figure 3.3), and nothing else changes role, term or vote.
import { assert } from './assert.ts';
import { retryEarly } from './election/fast-path.ts';
import { Tally } from './election/tally.ts';
import { resetElectionTimer } from './election/timer.ts';
import { tendFollowers } from './membership/in-force.ts';
import type { NodeId } from './message.ts';
import { send } from './outbox.ts';
import type { Raft } from './raft.ts';
import { isHardStateDurable } from './raft.ts';
import type { Progress } from './replication/progress.ts';
import { Uncommitted } from './replication/uncommitted.ts';

/**
 * Follows `leader`, or nobody yet. A follower that only learns of a later term keeps its election timer: candidates with
 * a short log could put off everybody else's election otherwise.
 */
export function becomeFollower(raft: Raft, term: number, leader: NodeId | undefined): void {
  const stoodForOffice = raft.own.role !== 'follower';
  if (term !== raft.term) enterTerm(raft, term, undefined);
  raft.own = { role: 'follower', leader };
  if (leader !== undefined) {
    raft.leaderHeardAt = raft.now;
    raft.fastAttempts = 0;
  }
  if (leader !== undefined || stoodForOffice) resetElectionTimer(raft);
}

/** Asks whether an election could be won, before the term is raised (thesis 9.6). Needs no disk. */
export function becomePreCandidate(raft: Raft): void {
  const tally = new Tally(raft.roster.voters);
  raft.own = { role: 'preCandidate', tally };
  resetElectionTimer(raft);
  retryEarly(raft);
  for (const to of raft.roster.otherVoters) askForVote(raft, to, 'preVoteRequest', raft.term + 1, false);
  tally.count(raft.config.id, true);
  if (tally.won) becomeCandidate(raft, false);
}

/** Votes for itself in a new term. The requests, and the own voice, wait for that vote to be durable. */
export function becomeCandidate(raft: Raft, transfer: boolean): void {
  const { own } = raft;
  assert(
    transfer || (own.role === 'preCandidate' && own.tally.won),
    'only a won pre-vote or a transfer raises the term',
  );
  enterTerm(raft, raft.term + 1, raft.config.id);
  raft.own = { role: 'candidate', tally: new Tally(raft.roster.voters) };
  resetElectionTimer(raft);
  for (const to of raft.roster.otherVoters) askForVote(raft, to, 'voteRequest', raft.term, transfer);
}

/**
 * Leads this term, and begins it with an empty entry: only an entry of its own term tells a leader what is committed
 * (thesis 3.6.2, 6.4).
 */
export function becomeLeader(raft: Raft): void {
  const { config, log } = raft;
  assert(raft.own.role === 'candidate' && raft.own.tally.won, 'only a won vote makes a leader');
  assert(isHardStateDurable(raft) && raft.vote === config.id, 'a leader has its own vote on its disk');
  const termStartIndex = log.lastIndex + 1;
  const followers = new Map<NodeId, Progress>();
  tendFollowers(raft, followers, termStartIndex);
  raft.own = {
    role: 'leader',
    followers,
    termStartIndex,
    uncommitted: new Uncommitted(config.maxUncommittedBytes),
    heartbeatDueAt: raft.now + config.heartbeatTicks,
    transfer: undefined,
    round: 0,
    reads: new Map(),
  };
  raft.fastAttempts = 0;
  log.append(config.encode(termStartIndex, raft.term, 'empty', new Uint8Array(0)));
}

/** What waits for the disk speaks of the old term: an acknowledgement of then may be untrue of the log of now. */
function enterTerm(raft: Raft, term: number, vote: NodeId | undefined): void {
  assert(term > raft.term, 'terms only rise');
  raft.term = term;
  raft.vote = vote;
  raft.promisedAt = raft.now;
  raft.held.clear();
}

function askForVote(
  raft: Raft,
  to: NodeId,
  kind: 'preVoteRequest' | 'voteRequest',
  term: number,
  transfer: boolean,
): void {
  send(raft, to, { kind, term, lastIndex: raft.log.lastIndex, lastTerm: raft.log.lastTerm, transfer });
}
