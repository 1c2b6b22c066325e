import { expect, test } from 'vitest';
import { command, encode, type Member, memberOf, ofVoters, TestDisk } from '../../../test/core/harness.ts';
import {
  accept,
  answerHeartbeat,
  append,
  follower,
  leader,
  member,
  message,
  only,
  settledLeader,
} from '../../../test/core/roles.ts';
import { maxMembers } from '../bounds.ts';
import type { MembershipChange } from '../types.ts';
import { encodeConfiguration } from './configuration.ts';

const refused = (reason: string) => ({ kind: 'refused', reason });
const add = (id: string): MembershipChange => ({ kind: 'addLearner', member: memberOf(id) });
const promote = (id: string): MembershipChange => ({ kind: 'promote', id });
const remove = (id: string): MembershipChange => ({ kind: 'remove', id });

/** Everybody has everything, d is a learner. */
function withLearner(): Member {
  const a = settledLeader();
  expect(a.core.changeMembership(add('d'))).toEqual({ kind: 'appended', index: 2, term: 1 });
  a.settle();
  for (const peer of ['b', 'c', 'd']) accept(a, peer, 2);
  a.settle();
  expect(a.status).toMatchObject({ commit: 2, configurationIndex: 2 });
  return a;
}

/** A configuration entry, from the leader a of `term`. */
function say(to: Member, term: number, previous: readonly [number, number], voters: string[], learners: string[] = []) {
  const [previousIndex, previousTerm] = previous;
  const payload = encodeConfiguration(ofVoters(voters, learners));
  const entries = [encode(previousIndex + 1, term, 'configuration', payload)];
  to.core.step(message('a', to.id, { kind: 'appendRequest', term, previousIndex, previousTerm, commit: 0, entries }));
}

test('a change counts as soon as it is appended, and its learner is tended at once', () => {
  const a = settledLeader();
  a.core.changeMembership(add('d'));
  expect(a.status.configuration).toEqual(ofVoters(['a', 'b', 'c'], ['d']));
  expect(a.status.configurationIndex).toBe(2);
  expect(a.status.followers.get('d')).toMatchObject({ voter: false, match: 0 });
  expect(only('appendRequest', a.settle()).map((sent) => sent.to)).toContain('d');
});

test('changes are refused: one reason each', () => {
  const a = withLearner();
  const ask = (change: MembershipChange) => a.core.changeMembership(change);
  expect(ask(add('b'))).toEqual(refused('alreadyMember'));
  expect(ask(add('d'))).toEqual(refused('alreadyMember'));
  expect(ask(promote('b'))).toEqual(refused('alreadyMember'));
  expect(ask(promote('x'))).toEqual(refused('unknownMember'));
  expect(ask(remove('x'))).toEqual(refused('unknownMember'));
  expect(ask(add('no name'))).toEqual(refused('malformedMember'));
  expect(follower().core.changeMembership(add('d'))).toEqual(refused('notLeader'));
  a.core.transferLeadership('b');
  expect(ask(add('e'))).toEqual(refused('transferring'));
  a.core.stop();
  expect(ask(add('e'))).toEqual(refused('stopping'));
  const alone = member('a', { voters: ['a'] });
  alone.tick();
  alone.settle();
  expect(alone.core.changeMembership(remove('a'))).toEqual(refused('lastVoter'));
  const full = settledLeader({ config: { maxUncommittedBytes: 10 } });
  full.core.propose(new Uint8Array(10));
  expect(full.core.changeMembership(add('d'))).toEqual(refused('tooManyUncommitted'));
});

test('there is a limit to the members', () => {
  const a = member('a', { voters: ['a'] });
  a.tick();
  a.settle();
  for (let at = 1; at < maxMembers; at += 1) {
    expect(a.core.changeMembership(add(`n${at}`)).kind).toBe('appended');
    a.settle();
  }
  expect(a.core.changeMembership(add('x'))).toEqual(refused('tooManyMembers'));
});

test('no change before an entry of the own term is committed, and none while another is not', () => {
  const a = leader({ log: [1] });
  expect(a.core.changeMembership(remove('c'))).toEqual(refused('termNotCommitted'));
  accept(a, 'b', 2);
  expect(a.core.changeMembership(remove('c')).kind).toBe('appended');
  expect(a.core.changeMembership(add('d'))).toEqual(refused('changePending'));
  a.settle();
  accept(a, 'b', 3);
  expect(a.core.changeMembership(add('d')).kind).toBe('appended');
});

test('a learner gets a vote once it has caught up and answers', () => {
  const a = withLearner();
  for (let at = 0; at < 5; at += 1) a.core.propose(command('x'));
  a.settle();
  for (const peer of ['b', 'c']) accept(a, peer, 7);
  expect(a.core.changeMembership(promote('d'))).toEqual(refused('notCaughtUp'));
  accept(a, 'd', 3);
  expect(a.core.changeMembership(promote('d')).kind).toBe('appended');
  expect(a.status.configuration).toEqual(ofVoters(['a', 'b', 'c', 'd']));
  expect(a.status.followers.get('d')).toMatchObject({ voter: true, match: 3 });

  const silent = withLearner();
  for (let ticks = 0; ticks < 20; ticks += 1) {
    silent.tick();
    for (const peer of ['b', 'c']) answerHeartbeat(silent, peer);
  }
  expect(silent.core.changeMembership(promote('d'))).toEqual(refused('notCaughtUp'));
});

test('a learner that never answered gets no vote, however short the log; one that was reset and has everything does', () => {
  const a = settledLeader();
  a.core.changeMembership(add('d'));
  a.settle();
  for (const peer of ['b', 'c']) accept(a, peer, 2);
  a.settle();
  expect(a.core.changeMembership(promote('d'))).toEqual(refused('notCaughtUp'));
  accept(a, 'd', 2);
  a.core.peerReset('d');
  expect(a.status.followers.get('d')).toMatchObject({ state: 'probe', match: 2 });
  expect(a.core.changeMembership(promote('d')).kind).toBe('appended');
});

test('a learner commits nothing, confirms no read, and keeps no leader in office', () => {
  const a = withLearner();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'd', 3);
  expect(a.status.commit).toBe(2);
  accept(a, 'b', 3);
  expect(a.status.commit).toBe(3);
  a.core.readIndex(1);
  a.settle();
  answerHeartbeat(a, 'd', 1);
  a.settle();
  expect(a.reads).toEqual([]);
  answerHeartbeat(a, 'c', 1);
  a.settle();
  expect(a.reads).toEqual([{ context: 1, kind: 'ready', index: 3 }]);
  for (let ticks = 0; ticks < 20; ticks += 1) {
    a.tick();
    answerHeartbeat(a, 'd');
  }
  expect(a.status.role).toBe('follower');
});

test('a promoted voter counts from the entry on that says so: two of four are no majority', () => {
  const a = withLearner();
  a.core.changeMembership(promote('d'));
  a.settle();
  accept(a, 'b', 3);
  expect(a.status.commit).toBe(2);
  accept(a, 'd', 3);
  expect(a.status.commit).toBe(3);
});

test('a removed voter is let go at once, and the rest is a majority of itself', () => {
  const a = settledLeader();
  a.core.changeMembership(remove('c'));
  expect(a.status.followers.has('c')).toBe(false);
  expect(a.settle().map((sent) => sent.to)).not.toContain('c');
  accept(a, 'b', 2);
  a.settle();
  a.core.changeMembership(remove('b'));
  a.settle();
  expect(a.status).toMatchObject({ commit: 3, configuration: ofVoters(['a']) });
  for (const peer of ['b', 'c']) accept(a, peer, 3);
  expect(a.status.followers.size).toBe(0);
});

test('a voter is not removed where those who remain could not go on', () => {
  const a = settledLeader();
  for (let ticks = 0; ticks < 20; ticks += 1) {
    a.tick();
    answerHeartbeat(a, 'b');
  }
  expect(a.core.changeMembership(remove('b'))).toEqual(refused('tooFewActive'));
  expect(a.core.changeMembership(remove('a'))).toEqual(refused('tooFewActive'));
  expect(a.status.configurationIndex).toBe(0);
  expect(a.core.changeMembership(remove('c')).kind).toBe('appended');
});

test('who has not answered in this term is not counted on, however short it is', () => {
  const a = leader({ log: [1] });
  accept(a, 'b', 2);
  a.settle();
  expect(a.core.changeMembership(remove('b'))).toEqual(refused('tooFewActive'));
  accept(a, 'c', 2);
  expect(a.core.changeMembership(remove('b')).kind).toBe('appended');
});

test('an acknowledgement from before a removal counts for nothing when the member is back', () => {
  const a = withLearner();
  a.core.changeMembership(remove('d'));
  a.settle();
  accept(a, 'b', 3);
  a.settle();
  a.core.changeMembership(add('d'));
  accept(a, 'd', 2); // of its former life: nothing was sent to it since
  expect(a.status.followers.get('d')?.match).toBe(0);
});

test('a leader that removes itself commits that without counting itself, hands over, and steps down', () => {
  const a = settledLeader();
  a.core.changeMembership(remove('a'));
  expect(a.status.isVoter).toBe(false);
  expect(a.core.propose(command('x'))).toEqual(refused('transferring'));
  expect(a.core.changeMembership(remove('b'))).toEqual(refused('transferring'));
  a.settle();
  accept(a, 'b', 2);
  expect(a.status).toMatchObject({ role: 'leader', commit: 1 });
  accept(a, 'c', 2);
  expect(a.status).toMatchObject({ role: 'follower', commit: 2 });
  expect(only('timeoutNow', a.settle())).toHaveLength(1);
  a.tick(100);
  expect(a.status).toMatchObject({ role: 'follower', term: 1 });
});

test('a follower takes a configuration with its entry, and gives it up with its entry', () => {
  const b = follower({ log: [1] });
  say(b, 1, [1, 1], ['a', 'b'], ['d']);
  expect(b.status).toMatchObject({ configurationIndex: 2, configuration: ofVoters(['a', 'b'], ['d']) });
  say(b, 1, [2, 1], ['a', 'd']);
  expect(b.status).toMatchObject({ configurationIndex: 3, isVoter: false });
  append(b, 2, [2, 1], [2]);
  expect(b.status).toMatchObject({ configurationIndex: 2, isVoter: true });
  append(b, 3, [1, 1], [3]);
  expect(b.status).toMatchObject({ configurationIndex: 0, configuration: ofVoters(['a', 'b', 'c']) });
});

test('a restart finds the configurations of the log, and can still give up those that are not applied', () => {
  const b = follower({ log: [1] });
  say(b, 1, [1, 1], ['a', 'b']);
  b.settle();
  b.restart();
  expect(b.status).toMatchObject({ configurationIndex: 2, configuration: ofVoters(['a', 'b']) });
  append(b, 2, [1, 1], [2]);
  expect(b.status).toMatchObject({ configurationIndex: 0, configuration: ofVoters(['a', 'b', 'c']) });
});

test('a state brings its configuration', () => {
  const b = follower({ log: [1] });
  const entries = [1, 1, 1].map((term, at) => encode(at + 1, term, 'commands', command('y')));
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 3, commit: 0, round: 0 }));
  const other = { entries: entries.map((entry) => ({ ...entry, term: 2 })), configuration: ofVoters(['a'], ['b']) };
  expect(b.restore(other)).toBe('accepted');
  expect(b.status).toMatchObject({ isVoter: false, configuration: ofVoters(['a'], ['b']) });
  b.settle();
  b.restart();
  expect(b.status).toMatchObject({ isVoter: false, configurationIndex: 3, configuration: ofVoters(['a'], ['b']) });
});

test('learners, those that join and those that were removed never stand, not even when asked to', () => {
  const joining = member('d', { voters: [] });
  joining.tick(100);
  expect(joining.status).toMatchObject({ role: 'follower', term: 0, isVoter: false });
  const learner = member('d', { voters: [] });
  say(learner, 1, [0, 0], ['a', 'b'], ['d']);
  learner.settle();
  learner.core.step(message('a', 'd', { kind: 'timeoutNow', term: 1 }));
  learner.tick(100);
  expect(learner.status).toMatchObject({ role: 'follower', term: 1, isVoter: false });
});

test('one whose removal is not committed still stands, without a vote of its own: nobody else could win', () => {
  const a = settledLeader({ voters: ['a', 'b'] });
  a.core.changeMembership(remove('a'));
  a.settle(); // b never hears of it
  a.restart();
  expect(a.status).toMatchObject({ role: 'follower', isVoter: false });
  a.tick(30);
  expect(a.status.role).toBe('preCandidate');
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 2, granted: true }));
  a.settle();
  expect(a.status.role).toBe('candidate');
  a.core.step(message('b', 'a', { kind: 'voteResponse', term: 2, granted: true }));
  a.settle();
  accept(a, 'b', 3);
  expect(a.status).toMatchObject({ role: 'follower', commit: 3 });
  a.settle();
  a.tick(100);
  expect(a.status.role).toBe('follower');
});

test('one that stands, and learns by a state that its removal is committed, stands no more', () => {
  const b = follower();
  say(b, 1, [0, 0], ['a', 'c']);
  b.settle();
  b.tick(30);
  expect(b.status).toMatchObject({ role: 'preCandidate', isVoter: false, commit: 0 });
  const entries = [...b.disk.log];
  expect(b.restore({ entries, configuration: ofVoters(['a', 'c']) })).toBe('unneeded');
  expect(b.status).toMatchObject({ role: 'follower', commit: 1 });
});

test('one that joins votes as anybody would: the candidate counts it, or does not', () => {
  const joining = member('d', { voters: [] });
  const ask = { kind: 'voteRequest', term: 1, lastIndex: 1, lastTerm: 1, transfer: false } as const;
  joining.core.step(message('a', 'd', ask));
  expect(joining.settle()).toMatchObject([{ kind: 'voteResponse', granted: true }]);
});

test('a candidate asks voters only, and counts them only', () => {
  const disk = new TestDisk([], { term: 1, vote: undefined });
  disk.log.push(encode(1, 1, 'configuration', encodeConfiguration(ofVoters(['a', 'b', 'c'], ['d', 'e']))));
  const a = member('a', { voters: [] });
  for (const entry of disk.log) a.disk.log.push(entry);
  a.disk.hardState = disk.hardState;
  a.restart();
  a.tick(30);
  expect(a.settle().map((sent) => sent.to)).not.toContain('d');
  for (const from of ['d', 'e']) {
    a.core.step(message(from, 'a', { kind: 'preVoteResponse', term: 2, granted: true }));
  }
  expect(a.status.role).toBe('preCandidate');
  a.core.step(message('c', 'a', { kind: 'preVoteResponse', term: 2, granted: true }));
  expect(a.status.role).toBe('candidate');
});

test('a removed member that stands again and again changes nothing', () => {
  const a = settledLeader();
  a.core.changeMembership(remove('c'));
  a.settle();
  accept(a, 'b', 2);
  const ask = { kind: 'voteRequest', term: 9, lastIndex: 9, lastTerm: 8, transfer: false } as const;
  a.core.step(message('c', 'a', ask));
  a.core.step(message('c', 'a', { kind: 'heartbeatResponse', term: 9, applied: 0, round: 0 }));
  expect(a.status).toMatchObject({ role: 'leader', term: 1 });
  const b = follower({ log: [1] });
  b.core.step(message('c', 'b', ask));
  expect(b.status).toMatchObject({ term: 1, leader: 'a' });
});

test('an entry that says nothing readable about the members is not taken', () => {
  const b = follower({ log: [1] });
  const entries = [encode(2, 1, 'configuration', command('nonsense'))];
  const body = { kind: 'appendRequest', term: 1, previousIndex: 1, previousTerm: 1, commit: 0, entries } as const;
  b.core.step(message('a', 'b', body));
  expect(b.status.lastIndex).toBe(1);
});
