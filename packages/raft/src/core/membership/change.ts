// Changes of the members, one server at a time (thesis 4.1 to 4.3): any majority before the change and any majority after
// it have a voter in common, so two leaders in one term can not be.
import { maxMembers } from '../bounds.ts';
import { isActive } from '../election/check-quorum.ts';
import type { NodeId } from '../message.ts';
import type { Own, Raft } from '../raft.ts';
import type { Changed, ChangeRefusal, MembershipChange } from '../types.ts';
import type { ConfigMember, Configuration } from './configuration.ts';
import { encodeConfiguration, isMember } from './configuration.ts';
import { maybeEnforce } from './in-force.ts';
import { majorityOf } from './quorum.ts';

export function changeMembership(raft: Raft, change: MembershipChange): Changed {
  const { own, log, term, config, roster } = raft;
  if (raft.stopping) return { kind: 'refused', reason: 'stopping' };
  if (own.role !== 'leader') return { kind: 'refused', reason: 'notLeader' };
  if (own.transfer !== undefined || !roster.isVoter) return { kind: 'refused', reason: 'transferring' };
  // Otherwise two leaders of different terms could each change another member, with majorities that share nobody (the
  // error in the first version of single-server changes, found in 2015).
  if (raft.commit < own.termStartIndex) return { kind: 'refused', reason: 'termNotCommitted' };
  // Two changes at once are no change of one server.
  if (raft.commit < roster.index) return { kind: 'refused', reason: 'changePending' };
  const next = afterwards(raft, own, change);
  if (typeof next === 'string') return { kind: 'refused', reason: next };
  const payload = encodeConfiguration(next);
  if (!own.uncommitted.hasRoomFor(payload.length)) return { kind: 'refused', reason: 'tooManyUncommitted' };
  const index = log.lastIndex + 1;
  const entry = config.encode(index, term, 'configuration', payload);
  log.append(entry);
  own.uncommitted.add(index, payload.length);
  maybeEnforce(raft, entry);
  return { kind: 'appended', index, term };
}

type After = Configuration | ChangeRefusal;

function afterwards(raft: Raft, own: Own<'leader'>, change: MembershipChange): After {
  switch (change.kind) {
    case 'addLearner':
      return withLearner(raft, change.member);
    case 'promote':
      return withVoter(raft, own, change.id);
    case 'remove':
      return without(raft, own, change.id);
    default:
      return change satisfies never;
  }
}

function withLearner({ roster }: Raft, member: ConfigMember): After {
  const { voters, learners } = roster.configuration;
  if ([...voters, ...learners].some(({ id }) => id === member.id)) return 'alreadyMember';
  if (!isMember(member)) return 'malformedMember';
  if (voters.length + learners.length >= maxMembers) return 'tooManyMembers';
  return { voters, learners: [...learners, member] };
}

function withVoter(raft: Raft, own: Own<'leader'>, id: NodeId): After {
  const { voters, learners } = raft.roster.configuration;
  if (voters.some((member) => member.id === id)) return 'alreadyMember';
  const learner = learners.find((member) => member.id === id);
  if (learner === undefined) return 'unknownMember';
  if (!isCaughtUp(raft, own, id)) return 'notCaughtUp';
  return { voters: [...voters, learner], learners: learners.filter((member) => member.id !== id) };
}

function without(raft: Raft, own: Own<'leader'>, id: NodeId): After {
  const { voters, learners } = raft.roster.configuration;
  const isOther = (member: ConfigMember): boolean => member.id !== id;
  if (voters.every(isOther) && learners.every(isOther)) return 'unknownMember';
  if (voters.length === 1 && !voters.every(isOther)) return 'lastVoter';
  const remaining = voters.filter(isOther);
  if (remaining.length < voters.length && !canGoOn(raft, own, remaining)) return 'tooFewActive';
  return { voters: remaining, learners: learners.filter(isOther) };
}

/**
 * Without a majority of those who remain, the entry that removes a voter would never be committed; and since it is in force at
 * once, nobody who has it could be elected again, nor whoever lacks it.
 */
function canGoOn(raft: Raft, own: Own<'leader'>, remaining: readonly ConfigMember[]): boolean {
  const active = remaining.filter(({ id }) => {
    if (id === raft.config.id) return true;
    const progress = own.followers.get(id);
    // In a new term all are taken for active at first; one that answered has matched.
    return progress !== undefined && progress.match > 0 && isActive(raft, progress);
  });
  return active.length >= majorityOf(remaining.length);
}

/** A voter that is far behind could hold up everything: the majority grows, and it can not help yet (thesis 4.2.1). */
function isCaughtUp(raft: Raft, own: Own<'leader'>, id: NodeId): boolean {
  const progress = own.followers.get(id);
  if (progress === undefined || !isActive(raft, progress)) return false;
  // Whoever lost its connection is probed until there is something to be sent; it may have everything all the same. A new
  // one is active, too, and nothing is known of its log before its first answer.
  if (progress.state !== 'replicate') return progress.match === raft.log.lastIndex;
  return raft.log.lastIndex - progress.match <= raft.config.maxInflightAppends;
}
