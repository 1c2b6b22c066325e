// Reads that need no log entry (thesis 6.4): the leader proves that it still leads, with one round of heartbeats for all
// reads that wait, and then names the commit index that it had when the round began. Whoever has applied up to there sees
// everything that was acknowledged before the read was asked for. There are no leases: they need a clock.
import { maxWaitingReads, probePatienceHeartbeats, readPatienceElections } from '../bounds.ts';
import { quorumIndex } from '../membership/quorum.ts';
import type { NodeId, ReadRequest, ReadResponse } from '../message.ts';
import { send } from '../outbox.ts';
import type { Own, Raft, Read } from '../raft.ts';
import { leaderOf } from '../raft.ts';

export function readIndex(raft: Raft, context: number): void {
  const { reads, config } = raft;
  const leader = leaderOf(raft);
  reads.follow(raft.term, leader);
  if (leader === undefined || reads.waiting >= maxWaitingReads) return reads.fail(context);
  reads.add(context, raft.now + readPatienceElections * config.electionMaxTicks);
}

/** Once a turn: asks for what waits here, and answers what can be answered. */
export function turnReads(raft: Raft): void {
  const { reads, own, config } = raft;
  const leader = leaderOf(raft);
  reads.follow(raft.term, leader);
  reads.expire(raft.now);
  if (own.role === 'leader') serveReads(raft, own); // may make room for the next batch of its own
  const patienceTicks = probePatienceHeartbeats * config.heartbeatTicks;
  const context = reads.ask(raft.now, patienceTicks, () => Math.floor(config.random() * 2 ** 48));
  if (context !== undefined && leader !== undefined) {
    if (own.role === 'leader') takeRead(own, config.id, context);
    else send(raft, leader, { kind: 'readRequest', term: raft.term, context });
  }
  if (own.role === 'leader') serveReads(raft, own);
}

/** Asked again for the same context, it stays where it is: its round may be under way. */
export function takeRead(own: Own<'leader'>, from: NodeId, context: number): void {
  if (own.reads.get(from)?.context !== context) own.reads.set(from, { context, round: 0, index: 0 });
}

export function refuseRead(raft: Raft, { from, context }: ReadRequest & { readonly from: NodeId }): void {
  send(raft, from, { kind: 'readResponse', term: raft.term, context, granted: false, index: 0 });
}

export function stepReadResponse(
  raft: Raft,
  own: Own<'follower'>,
  response: ReadResponse & { readonly from: NodeId },
): void {
  if (own.leader !== response.from) return;
  raft.reads.answer(response.context, response.granted ? response.index : undefined);
}

function serveReads(raft: Raft, own: Own<'leader'>): void {
  if (own.reads.size === 0) return;
  // The next leader may have begun, and committed, before this one knows (thesis 3.10, 6.4).
  if (own.transfer !== undefined) {
    for (const [from, read] of own.reads) answerRead(raft, own, from, read, undefined);
    return;
  }
  // Until then a new leader does not know what its predecessors have committed.
  if (raft.commit < own.termStartIndex) return;
  let confirmed = confirmedRound(raft, own);
  if (confirmed === own.round && [...own.reads.values()].some((read) => read.round === 0)) {
    beginRound(raft, own);
    confirmed = confirmedRound(raft, own); // alone, a leader is its own majority
  }
  for (const [from, read] of own.reads) {
    if (read.round > 0 && read.round <= confirmed) answerRead(raft, own, from, read, read.index);
  }
}

/** One round at a time: what is asked for meanwhile goes with the next. The heartbeats repeat what is lost. */
function beginRound(raft: Raft, own: Own<'leader'>): void {
  own.round += 1;
  for (const [from, read] of own.reads) {
    if (read.round === 0) own.reads.set(from, { context: read.context, round: own.round, index: raft.commit });
  }
  for (const id of raft.roster.otherVoters) {
    const progress = own.followers.get(id);
    if (progress !== undefined) progress.heartbeatOwed = true;
  }
}

/** The last round that a majority has answered: after it began, nobody else led with that majority. */
function confirmedRound({ roster, config }: Raft, own: Own<'leader'>): number {
  return quorumIndex(roster.voters.map((id) => (id === config.id ? own.round : (own.followers.get(id)?.round ?? 0))));
}

function answerRead(raft: Raft, own: Own<'leader'>, to: NodeId, { context }: Read, index: number | undefined): void {
  own.reads.delete(to);
  if (to === raft.config.id) return raft.reads.answer(context, index);
  const granted = index !== undefined;
  send(raft, to, { kind: 'readResponse', term: raft.term, context, granted, index: index ?? 0 });
}
