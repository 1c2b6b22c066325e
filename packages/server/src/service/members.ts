// Who belongs to the cluster: looked at, added, removed. The leader's work, one change at a time.
import { type AnswerOf, HoldfastError, OutcomeUnknownError, type ParsedRequestOf } from '@holdfast/api';
import type { ChangeOutcome, MembershipChange } from '@holdfast/raft';
import { addressTextOf, peerOf } from '../peers/member-address.ts';
import type { Desk } from './desk.ts';

const retryAfterMs = 500;

export async function members(desk: Desk): Promise<AnswerOf<'members'>> {
  desk.leading();
  const { id: self, configuration, configurationIndex, commit, followers, members: known } = desk.status().raft;
  const seen = (role: 'learner' | 'voter') => (member: { readonly id: string; readonly incarnation: string }) => {
    const { id } = member;
    const { incarnation = member.incarnation, address = '' } = known.get(id) ?? {};
    const peer = peerOf(id, address);
    const follower = followers.get(id);
    return {
      id,
      incarnation,
      ...(peer === undefined ? {} : { peer: peer.peer, api: peer.api }),
      role,
      reachable: id === self || follower?.recentlyActive === true,
      ...(follower === undefined ? {} : { match: follower.match }),
    };
  };
  return {
    leader: self,
    settled: commit >= configurationIndex,
    members: [...configuration.voters.map(seen('voter')), ...configuration.learners.map(seen('learner'))],
  };
}

/** @throws HF_MEMBERS_*, HF_NO_LEADER, HF_STOPPING, HF_OUTCOME_UNKNOWN */
export async function addMember(desk: Desk, { body }: ParsedRequestOf<'addMember'>): Promise<AnswerOf<'addMember'>> {
  desk.leading();
  requireSettled(desk);
  const { id, incarnation, peer, api } = body;
  const { configuration, members: known } = desk.status().raft;
  const role = configuration.voters.some((voter) => voter.id === id) ? 'voter' : 'learner';
  const isMember = [...configuration.voters, ...configuration.learners].some((member) => member.id === id);
  if (isMember && known.get(id)?.incarnation === incarnation) return { kind: 'already', role };
  if (isMember) {
    throw refused(`${id} is a member with another directory; it must be removed before this one can be taken in.`);
  }
  await changed(desk, { kind: 'addLearner', member: { id, incarnation, address: addressTextOf({ peer, api }) } });
  return { kind: 'added', role: 'learner' };
}

/** @throws HF_MEMBERS_*, HF_NO_LEADER, HF_STOPPING, HF_OUTCOME_UNKNOWN */
export async function removeMember(
  desk: Desk,
  { params: { id }, query: { incarnation, lost } }: ParsedRequestOf<'removeMember'>,
): Promise<AnswerOf<'removeMember'>> {
  desk.leading();
  requireSettled(desk);
  const { configuration } = desk.status().raft;
  if (![...configuration.voters, ...configuration.learners].some((member) => member.id === id)) {
    return { kind: 'absent' };
  }
  // In one step with the change, without a wait: a member that came back meanwhile stays.
  requireIncarnation(desk, id, incarnation);
  if (lost !== undefined) requireLost(desk, id, lost);
  await changed(desk, { kind: 'remove', id });
  return { kind: 'removed' };
}

/** A change is in force before it is committed, and may still be taken back: nobody is told of one that it is done already. */
function requireSettled(desk: Desk): void {
  const { commit, configurationIndex } = desk.status().raft;
  if (commit < configurationIndex) throw busy();
}

function requireIncarnation(desk: Desk, id: string, incarnation: string | undefined): void {
  if (incarnation === undefined || desk.status().raft.members.get(id)?.incarnation === incarnation) return;
  throw refused(`${id} is a member with another directory.`);
}

function requireLost(desk: Desk, id: string, incarnation: string): void {
  requireIncarnation(desk, id, incarnation);
  const { id: self, followers } = desk.status().raft;
  if (id === self || followers.get(id)?.recentlyActive === true) throw refused(`${id} is reachable.`);
}

/** @throws HF_MEMBERS_*, HF_NO_LEADER, HF_STOPPING */
export async function transfer(desk: Desk, { body }: ParsedRequestOf<'transfer'>): Promise<AnswerOf<'transfer'>> {
  desk.leading();
  const started = desk.membership.transferLeadership(body.to);
  if (started.kind === 'started') return started;
  switch (started.reason) {
    case 'noTarget':
      throw refused('There is no other voter that could lead.');
    case 'transferring':
      throw busy();
    case 'notLeader':
      throw new HoldfastError('HF_NO_LEADER');
    case 'oldVersion':
      throw new HoldfastError('HF_MEMBERS_VERSION');
    case 'stopping':
      throw new HoldfastError('HF_STOPPING');
    default:
      return started satisfies never;
  }
}

async function changed(desk: Desk, change: MembershipChange): Promise<void> {
  const outcome = await desk.membership.changeMembership(change);
  switch (outcome.kind) {
    case 'applied':
      return;
    case 'refused':
      throw refusal(outcome.reason);
    case 'unknown':
      throw new OutcomeUnknownError();
    default:
      return outcome satisfies never;
  }
}

function refusal(reason: Extract<ChangeOutcome, { kind: 'refused' }>['reason']): HoldfastError {
  switch (reason) {
    case 'notLeader':
    case 'overwritten':
      return new HoldfastError('HF_NO_LEADER');
    case 'stopping':
      return new HoldfastError('HF_STOPPING');
    case 'transferring':
    case 'termNotCommitted':
    case 'changePending':
    case 'notCaughtUp':
    case 'tooManyUncommitted':
    // Somebody else was faster: the repeated request sees it.
    case 'alreadyMember':
    case 'unknownMember':
      return busy();
    case 'oldVersion':
      return new HoldfastError('HF_MEMBERS_VERSION');
    case 'malformedMember':
      return refused('Its addresses are too long.');
    case 'removedMember':
      return refused('It was a member with this directory, and was removed; it can come back with an empty one.');
    case 'tooManyMembers':
      return refused('There are as many members as there may be.');
    case 'tooFewActive':
      return refused(
        'Of the members that would remain, too few can be reached: without it the cluster could not go on.',
      );
    case 'lastVoter':
      return refused('It is the only one that has a vote.');
    default:
      return reason satisfies never;
  }
}

const refused = (detail: string): HoldfastError => new HoldfastError('HF_MEMBERS_REFUSED', { detail });
const busy = (): HoldfastError => new HoldfastError('HF_MEMBERS_BUSY', { retryAfterMs });
