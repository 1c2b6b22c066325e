// A follower takes a state in the place of a log that it lacks (thesis figure 5.3). The state lies on its disk already,
// whole; one write flips to it.
import { assert } from '../assert.ts';
import { becomeFollower } from '../become.ts';
import { mayStand, replaceConfigurations } from '../membership/in-force.ts';
import type { Raft } from '../raft.ts';
import type { Restore } from '../ready.ts';

export function restore(raft: Raft, state: Restore): 'accepted' | 'unneeded' {
  const { log, own } = raft;
  const { index, term } = state;
  // A late or repeated one would throw away what was committed after it. One at a time: the leader offers again.
  if (index <= raft.commit || raft.restore !== undefined) return 'unneeded';
  const isThere = log.term(index) === term;
  assert(isThere || own.role !== 'leader', 'a leader holds what is committed (leader completeness)');
  if (own.role === 'leader') return 'unneeded';
  // What follows it in this log may be committed, too: cutting it off could lose what was acknowledged (figure 5.3).
  if (isThere) {
    raft.commit = index;
    // One that stands may learn by this that its removal is committed.
    if (own.role !== 'follower' && !mayStand(raft)) becomeFollower(raft, raft.term, undefined);
    return 'unneeded';
  }
  if (term > raft.term) becomeFollower(raft, term, undefined);
  else if (own.role !== 'follower') becomeFollower(raft, raft.term, undefined);
  // Acknowledgements that wait for the disk stay: they are of this term, whose leader has the entry at `index`, so none of
  // them names what is thrown away here.
  log.restore(index, term, raft.commit);
  raft.commit = index;
  replaceConfigurations(raft, { index, configuration: state.configuration });
  raft.restore = state;
  return 'accepted';
}

/** The flip is on the disk: the state is that of its index, and the log begins behind it. */
export function restored(raft: Raft, { index }: Restore): void {
  raft.log.restored();
  raft.restore = undefined;
  raft.applied = index;
  raft.appliedAt = raft.now;
  raft.handedOut = index;
}
