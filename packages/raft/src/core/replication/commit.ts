// Walk 8/15: a majority has it. What is committed: by counting, and only in the leader's own term.
// From raft/driver/loop.ts, on to server/replica.ts.
import { resign } from '../election/transfer.ts';
import { quorumIndex } from '../membership/quorum.ts';
import type { Own, Raft } from '../raft.ts';

/**
 * Only voters count. The leader's own disk counts like any other, for what is durable there, and not at all while its own removal waits
 * to be committed.
 *
 * An entry of an earlier term may be on a majority and yet be overwritten later (thesis figure 3.7, 3.6.2): it becomes
 * committed with the first entry of the own term behind it, never by counting.
 */
export function maybeCommit(raft: Raft, own: Own<'leader'>): void {
  const { roster, config, log } = raft;
  const reached = roster.voters.map((id) => (id === config.id ? log.stableIndex : (own.followers.get(id)?.match ?? 0)));
  const index = quorumIndex(reached);
  if (index <= raft.commit || raft.log.term(index) !== raft.term) return;
  raft.commit = index;
  own.uncommitted.committedTo(index);
  if (!roster.isVoter && roster.index <= index) resign(raft, own);
}
