// Roles x events, complete: a cell that is missing does not compile. A cell says what to do, or `ignore` (it
// can happen and means nothing), or `impossible` (somebody broke the protocol: stop before more is lost).
import { InvariantViolated } from './assert.ts';
import { becomeFollower } from './become.ts';
import { countOwnVote, maybeLose, stepPreVoteResponse, stepVoteResponse } from './candidate.ts';
import { maybeCampaign } from './election/campaign.ts';
import { doubtQuorum } from './election/check-quorum.ts';
import { leaderDown } from './election/fast-path.ts';
import { agePatience } from './election/timer.ts';
import { resign, stepTimeoutNow, targetDown } from './election/transfer.ts';
import { answerPreVote, answerVote } from './election/vote.ts';
import { hearBytes, stepAppend, stepHeartbeat } from './follower.ts';
import * as leading from './leader.ts';
import type { MessageKind, MessageOf, NodeId } from './message.ts';
import type { Own, Raft } from './raft.ts';
import { maybeCommit } from './replication/commit.ts';
import { refuseRead, stepReadResponse, takeRead } from './replication/read-index.ts';
import type { Role } from './types.ts';

/** What reaches the core from its own node. */
interface LocalEvents {
  heard: { readonly peer: NodeId };
  tick: object;
  written: object;
  applied: object;
  peerDown: { readonly peer: NodeId };
  peerReset: { readonly peer: NodeId };
  diskStalled: object;
  stepDown: object;
  snapshotInstalled: { readonly peer: NodeId; readonly index: number };
  paused: { readonly ticks: number };
  stop: object;
}
type Events = { [K in MessageKind]: MessageOf<K> } & LocalEvents;
type EventKind = keyof Events;
export type EventOf<K extends EventKind = EventKind> = { [P in K]: Events[P] & { readonly kind: P } }[K];

type Cell<R extends Role, K extends EventKind> = (raft: Raft, own: Own<R>, event: EventOf<K>) => void;
type Row<R extends Role> = { readonly [K in EventKind]: Cell<R, K> };
type Table = { readonly [R in Role]: Row<R> };

const ignore = (): void => {};
const impossible = (raft: Raft, own: Own, event: EventOf): void => {
  throw new InvariantViolated(`${event.kind} cannot reach a ${own.role} in its own term ${raft.term}`);
};
const campaign = (raft: Raft): void => maybeCampaign(raft);

const follower: Row<'follower'> = {
  preVoteRequest: (raft, _own, message) => answerPreVote(raft, message),
  voteRequest: (raft, _own, message) => answerVote(raft, message),
  preVoteResponse: ignore, // the election is over
  voteResponse: ignore,
  appendRequest: (raft, _own, message) => stepAppend(raft, message),
  appendResponse: ignore, // it led this term until it lost its quorum
  heartbeat: (raft, _own, message) => stepHeartbeat(raft, message),
  heartbeatResponse: ignore,
  timeoutNow: (raft, own, message) => stepTimeoutNow(raft, own, message),
  readRequest: (raft, _own, message) => refuseRead(raft, message),
  readResponse: (raft, own, message) => stepReadResponse(raft, own, message),
  heard: (raft, own, { peer }) => hearBytes(raft, own, peer),
  tick: campaign,
  written: ignore,
  applied: campaign, // may have been waiting for it
  peerDown: (raft, own, { peer }) => {
    leaderDown(raft, own, peer);
    maybeCampaign(raft);
  },
  peerReset: ignore,
  snapshotInstalled: ignore, // it leads no more
  diskStalled: ignore,
  stepDown: ignore, // it leads no more
  paused: (raft, _own, { ticks }) => agePatience(raft, ticks),
  stop: ignore,
};

const preCandidate: Row<'preCandidate'> = {
  preVoteRequest: (raft, _own, message) => answerPreVote(raft, message),
  voteRequest: (raft, _own, message) => answerVote(raft, message),
  preVoteResponse: stepPreVoteResponse,
  voteResponse: ignore, // of the vote that timed out before this round
  appendRequest: (raft, _own, message) => stepAppend(raft, message),
  appendResponse: ignore, // it may have led this term
  heartbeat: (raft, _own, message) => stepHeartbeat(raft, message),
  heartbeatResponse: ignore,
  timeoutNow: (raft, own, message) => stepTimeoutNow(raft, own, message),
  readRequest: (raft, _own, message) => refuseRead(raft, message),
  readResponse: ignore, // the leader that was asked is lost
  heard: ignore, // bytes prove no term
  tick: campaign,
  written: ignore,
  applied: ignore,
  peerDown: maybeLose,
  peerReset: ignore,
  snapshotInstalled: ignore,
  diskStalled: (raft) => becomeFollower(raft, raft.term, undefined), // its own vote would not get through
  stepDown: ignore,
  paused: (raft, _own, { ticks }) => agePatience(raft, ticks),
  stop: (raft) => becomeFollower(raft, raft.term, undefined),
};

const candidate: Row<'candidate'> = {
  preVoteRequest: (raft, _own, message) => answerPreVote(raft, message),
  voteRequest: (raft, _own, message) => answerVote(raft, message),
  preVoteResponse: ignore, // that round is won
  voteResponse: stepVoteResponse,
  appendRequest: (raft, _own, message) => stepAppend(raft, message),
  appendResponse: impossible, // it has not led this term, and only leaders are answered
  heartbeat: (raft, _own, message) => stepHeartbeat(raft, message),
  heartbeatResponse: ignore, // tells its term to the leader that this node was before (election/term.ts)
  timeoutNow: ignore, // it stands already
  readRequest: (raft, _own, message) => refuseRead(raft, message),
  readResponse: ignore,
  heard: ignore,
  tick: campaign,
  written: countOwnVote,
  applied: ignore,
  peerDown: maybeLose,
  peerReset: ignore,
  snapshotInstalled: ignore,
  diskStalled: (raft) => {
    if (!raft.roster.isAlone) becomeFollower(raft, raft.term, undefined); // nobody could lead in its place
  },
  stepDown: ignore, // the leadership that was meant is lost
  paused: (raft, _own, { ticks }) => agePatience(raft, ticks),
  stop: (raft) => becomeFollower(raft, raft.term, undefined),
};

const leader: Row<'leader'> = {
  preVoteRequest: (raft, _own, message) => answerPreVote(raft, message),
  voteRequest: (raft, _own, message) => answerVote(raft, message),
  preVoteResponse: ignore,
  voteResponse: ignore, // one more vote than it needed
  appendRequest: impossible, // two leaders in one term
  appendResponse: leading.stepAppendResponse,
  heartbeat: impossible,
  heartbeatResponse: leading.stepHeartbeatResponse,
  timeoutNow: impossible,
  readRequest: (_raft, own, message) => takeRead(own, message.from, message.context),
  readResponse: ignore, // what it asked its predecessor is lost
  heard: ignore, // only an answer shows that it still follows
  tick: leading.tickLeader,
  written: maybeCommit, // its own disk is one of the majority
  applied: ignore,
  peerDown: (_raft, own, { peer }) => {
    leading.probeAgain(own, peer);
    targetDown(own, peer);
  },
  peerReset: (_raft, own, { peer }) => leading.probeAgain(own, peer),
  snapshotInstalled: (raft, own, { peer, index }) => leading.snapshotInstalled(raft, own, peer, index),
  diskStalled: leading.maybeYieldToFasterDisks,
  stepDown: resign,
  paused: (raft, own, { ticks }) => doubtQuorum(raft, own, ticks),
  stop: ignore, // it leads until its sockets close: its followers apply what is committed
};

const table: Table = { follower, preCandidate, candidate, leader };

export function dispatch<R extends Role, K extends EventKind>(raft: Raft, own: Own<R>, event: EventOf<K>): void {
  const row: Row<R> = table[own.role];
  const kind: K = event.kind;
  const cell: Cell<R, K> = row[kind];
  cell(raft, own, event);
}
