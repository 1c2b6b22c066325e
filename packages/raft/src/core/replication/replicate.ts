// What each follower is sent next. Runs once a turn, so that everything proposed and acknowledged since the last one
// goes out together, with the newest commit index.
import { assert } from '../assert.ts';
import type { NodeId } from '../message.ts';
import { send } from '../outbox.ts';
import type { Own, Raft } from '../raft.ts';
import type { Progress } from './progress.ts';

export function replicate(raft: Raft, own: Own<'leader'>): void {
  for (const [peer, progress] of own.followers) {
    while (progress.maySend && progress.needs(raft.log.lastIndex)) {
      if (progress.next < raft.log.firstIndex) progress.becomeSnapshot();
      else sendAppend(raft, peer, progress);
    }
    maybeSendHeartbeat(raft, own, peer, progress);
  }
}

function sendAppend(raft: Raft, to: NodeId, progress: Progress): void {
  const { log, config } = raft;
  const previousIndex = progress.next - 1;
  const previousTerm = log.term(previousIndex);
  assert(previousTerm !== undefined, 'a leader holds the entry before every one that it sends');
  const maxBytes = Math.min(config.maxAppendBytes, progress.inflight.spareBytes);
  const entries = progress.next > log.lastIndex ? [] : log.entriesFrom(progress.next, maxBytes);
  let bytes = 0;
  for (const entry of entries) bytes += entry.bytes.length;
  const lastIndex = previousIndex + entries.length;
  progress.sent(lastIndex, bytes, raft.now);
  progress.commitTold = Math.max(progress.commitTold, Math.min(raft.commit, lastIndex));
  send(raft, to, { kind: 'appendRequest', term: raft.term, previousIndex, previousTerm, commit: raft.commit, entries });
}

/**
 * When it is due, and at once when the commit index moved and no append carried it: a follower that applies late takes
 * over late. Never more than the follower is known to match, or it would commit what it has from somebody else.
 */
function maybeSendHeartbeat(raft: Raft, { round }: Own<'leader'>, to: NodeId, progress: Progress): void {
  const commit = Math.min(raft.commit, progress.match);
  if (!progress.heartbeatOwed && commit <= progress.commitTold) return;
  progress.heartbeatOwed = false;
  progress.commitTold = Math.max(progress.commitTold, commit);
  send(raft, to, { kind: 'heartbeat', term: raft.term, commit, round });
}
