// What a follower does with what its leader sends.
import { assert } from './assert.ts';
import { becomeFollower } from './become.ts';
import { maybeEnforce, rollBack } from './membership/in-force.ts';
import type { AppendRequest, Heartbeat, NodeId } from './message.ts';
import { send, sendAccepted } from './outbox.ts';
import type { Own, Raft } from './raft.ts';

/** Also for candidates: who leads their term has won it. */
export function stepAppend(raft: Raft, message: AppendRequest & { readonly from: NodeId }): void {
  hearLeader(raft, message.from);
  const { log } = raft;
  const { previousIndex, previousTerm } = message;
  // A late one: it speaks of what is compacted here. All that is committed is the leader's, too (leader completeness), so
  // it is acknowledged, and what else the message holds comes again.
  if (previousIndex < log.firstIndex - 1) {
    sendAccepted(raft, message.from, Math.min(previousIndex + message.entries.length, raft.commit));
    return;
  }
  if (log.term(previousIndex) !== previousTerm) {
    assert(previousIndex > raft.commit, 'every leader holds what is committed (leader completeness)');
    refuse(raft, message);
    return;
  }
  appendNew(raft, message);
  const matched = previousIndex + message.entries.length;
  sendAccepted(raft, message.from, matched);
  // Bounded by what this message proved, not by the own last index: behind it there may still be entries of an older
  // leader (thesis figure 3.1, AppendEntries 5).
  commitTo(raft, Math.min(message.commit, matched));
}

export function stepHeartbeat(raft: Raft, message: Heartbeat & { readonly from: NodeId }): void {
  hearLeader(raft, message.from);
  // The leader sends at most what this node has acknowledged to it. A shorter log has lost durable entries; then the
  // leader's word is no proof.
  if (message.commit <= raft.log.lastIndex) commitTo(raft, message.commit);
  send(raft, message.from, { kind: 'heartbeatResponse', term: raft.term, applied: raft.applied, round: message.round });
}

/** A large append of the own leader is on its way: the leader lives, whatever its heartbeats do. */
export function hearBytes(raft: Raft, own: Own<'follower'>, from: NodeId): void {
  if (own.leader === from) becomeFollower(raft, raft.term, from);
}

function hearLeader(raft: Raft, from: NodeId): void {
  const { own } = raft;
  assert(own.role !== 'follower' || own.leader === undefined || own.leader === from, 'one leader a term');
  becomeFollower(raft, raft.term, from);
}

/**
 * Points at the last index whose term is not later than the refused one: everything between is of a term that the
 * leader does not have there. The leader skips the same way, so a round trip costs a term and not an entry.
 */
function refuse(raft: Raft, message: AppendRequest & { readonly from: NodeId }): void {
  const hintIndex = raft.log.lastWithTermUpTo(message.previousIndex, message.previousTerm);
  send(raft, message.from, {
    kind: 'appendResponse',
    term: raft.term,
    accepted: false,
    index: message.previousIndex,
    hintIndex,
    hintTerm: raft.log.term(hintIndex) ?? 0,
    applied: raft.applied,
  });
}

/** What is there already stays: a repeated or late append is shorter than the log, and must not shorten it. */
function appendNew(raft: Raft, message: AppendRequest): void {
  const { log } = raft;
  const first = message.entries.findIndex((entry) => log.term(entry.index) !== entry.term);
  if (first === -1) return;
  const conflict = message.previousIndex + 1 + first;
  if (conflict <= log.lastIndex) {
    log.truncate(conflict, raft.commit);
    rollBack(raft, conflict);
  }
  for (const entry of message.entries.slice(first)) {
    log.append(entry);
    maybeEnforce(raft, entry);
  }
}

function commitTo(raft: Raft, index: number): void {
  raft.commit = Math.max(raft.commit, index);
}
