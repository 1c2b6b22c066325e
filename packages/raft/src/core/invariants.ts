// What must hold after each step, with a name each; checked always, in tests, simulator and production. All of it is
// cheap: nothing walks the log.
import { assert } from './assert.ts';
import { mayStand } from './membership/in-force.ts';
import type { Raft } from './raft.ts';
import { isHardStateDurable } from './raft.ts';

/** What a step is compared with: the same node, one step earlier. */
interface Before {
  readonly term: number;
  readonly vote: string | undefined;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly leads: boolean;
}

export function observe(raft: Raft): Before {
  const { term, vote, commit, applied } = raft;
  return { term, vote, commit, applied, lastIndex: raft.log.lastIndex, leads: raft.own.role === 'leader' };
}

export function checkInvariants(raft: Raft, before: Before): void {
  const { log, own } = raft;
  assert(raft.term >= before.term, 'the term never goes back');
  const sameTerm = raft.term === before.term;
  assert(!sameTerm || before.vote === undefined || raft.vote === before.vote, 'one vote a term');
  assert(raft.commit >= before.commit, 'the commit index never goes back');
  assert(raft.applied >= before.applied, 'the applied index never goes back');
  assert(raft.applied <= raft.handedOut, 'nothing is applied that was not given out');
  assert(raft.handedOut <= Math.min(raft.commit, log.stableIndex), 'only what is committed and durable is given out');
  assert(raft.restore !== undefined || raft.applied >= log.firstIndex - 1, 'nothing is compacted that is not applied');
  assert(raft.commit <= log.lastIndex, 'what is committed is in the log');
  assert(log.stableIndex <= log.lastIndex, 'what is durable is in the log');
  assert(log.lastTerm <= raft.term, 'no entry is of a later term');
  assert(!(sameTerm && before.leads) || log.lastIndex >= before.lastIndex, 'a leader never shortens its log');
  assert(raft.roster.index <= log.lastIndex, 'who the members are is said in the log');
  if (own.role === 'preCandidate' || own.role === 'candidate') {
    assert(mayStand(raft), 'only a voter stands for election');
  }
  if (own.role === 'candidate' || own.role === 'leader') {
    assert(raft.vote === raft.config.id, 'who stands in a term has voted for itself');
  }
  if (own.role === 'leader') checkLeader(raft);
}

function checkLeader(raft: Raft): void {
  const { log, own } = raft;
  if (own.role !== 'leader') return;
  assert(isHardStateDurable(raft), 'a leader has its own vote on its disk');
  const { termStartIndex } = own;
  assert(termStartIndex < log.firstIndex || log.term(termStartIndex) === raft.term, 'a term begins with an own entry');
  assert(own.followers.size === raft.roster.others.length, 'a leader tends every other member, and nobody else');
  for (const progress of own.followers.values()) {
    assert(progress.match < progress.next, 'what is proven is not sent again');
    assert(progress.match <= progress.sentTo, 'nothing is acknowledged that was not sent in this term');
    assert(progress.next <= log.lastIndex + 1 && progress.sentTo <= log.lastIndex, 'only what is there is sent');
    assert(progress.inflight.count <= raft.config.maxInflightAppends, 'the in-flight window keeps its limit');
  }
}
