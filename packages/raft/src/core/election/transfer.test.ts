import { expect, test } from 'vitest';
import { command } from '../../../test/core/harness.ts';
import {
  accept,
  answerHeartbeat,
  candidate,
  follower,
  member,
  message,
  only,
  preCandidate,
  settledLeader,
} from '../../../test/core/roles.ts';

const timeoutNow = { kind: 'timeoutNow', term: 1 } as const;

test('a follower that has everything is asked at once, and the others take no proposals meanwhile', () => {
  const a = settledLeader();
  expect(a.core.transferLeadership('b')).toEqual({ kind: 'started', to: 'b' });
  expect(a.status.transferringTo).toBe('b');
  expect(a.settle()).toMatchObject([{ kind: 'timeoutNow', to: 'b', term: 1 }]);
  expect(a.core.propose(command('x'))).toEqual({ kind: 'refused', reason: 'transferring' });
  expect(a.core.transferLeadership('c')).toEqual({ kind: 'refused', reason: 'transferring' });
});

test('a follower that lacks entries is brought up to date before it is asked', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  a.core.transferLeadership('b');
  expect(only('timeoutNow', a.settle())).toEqual([]);
  accept(a, 'c', 2);
  expect(only('timeoutNow', a.settle())).toEqual([]);
  accept(a, 'b', 2);
  expect(only('timeoutNow', a.settle())).toMatchObject([{ to: 'b' }]);
});

test('without a name the voter that has most is taken, and one that does not answer never', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'c', 2);
  expect(a.core.transferLeadership(undefined)).toEqual({ kind: 'started', to: 'c' });

  const alone = member('a', { voters: ['a'] });
  alone.tick();
  alone.settle();
  expect(alone.core.transferLeadership(undefined)).toEqual({ kind: 'refused', reason: 'noTarget' });
  const other = settledLeader();
  expect(other.core.transferLeadership('a')).toEqual({ kind: 'refused', reason: 'noTarget' });
  expect(other.core.transferLeadership('x')).toEqual({ kind: 'refused', reason: 'noTarget' });
  for (let ticks = 0; ticks < 20; ticks += 1) {
    other.tick();
    answerHeartbeat(other, 'c');
  }
  expect(other.core.transferLeadership('b')).toEqual({ kind: 'refused', reason: 'noTarget' });
});

test('a transfer that leads nowhere is abandoned after an election timeout; it is asked for again until then', () => {
  const a = settledLeader();
  a.core.transferLeadership('b');
  let asked = 0;
  for (let ticks = 0; ticks < 20; ticks += 1) {
    expect(a.core.propose(command('x')).kind).toBe('refused');
    asked += only('timeoutNow', a.settle()).length;
    a.tick();
    answerHeartbeat(a, 'b');
    answerHeartbeat(a, 'c');
  }
  expect(asked).toBe(10);
  expect(a.status.transferringTo).toBeUndefined();
  expect(a.core.propose(command('x')).kind).toBe('appended');
  expect(only('timeoutNow', a.settle())).toEqual([]);
});

test('when the process of the target is gone, nothing is waited for', () => {
  const a = settledLeader();
  a.core.transferLeadership('b');
  a.core.peerDown('c');
  expect(a.status.transferringTo).toBe('b');
  a.core.peerDown('b');
  expect(a.status.transferringTo).toBeUndefined();
});

test('only a leader hands over, and not when it stops', () => {
  expect(follower().core.transferLeadership('a')).toEqual({ kind: 'refused', reason: 'notLeader' });
  const a = settledLeader();
  a.core.stop();
  expect(a.core.transferLeadership('b')).toEqual({ kind: 'refused', reason: 'stopping' });
});

test('a leader whose owner can do nothing with it makes room at once, and names the voter that has most', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'c', 2);
  a.core.stepDown();
  expect(a.status).toMatchObject({ role: 'follower', term: 1, leader: undefined });
  expect(only('timeoutNow', a.settle())).toMatchObject([{ to: 'c', term: 1 }]);
  expect(a.core.propose(command('y'))).toEqual({ kind: 'refused', reason: 'notLeader' });
});

test('it makes room when it hands over to another, and when there is nobody to name', () => {
  const a = settledLeader();
  a.core.transferLeadership('b');
  a.core.stepDown();
  expect(a.status).toMatchObject({ role: 'follower', transferringTo: undefined });

  const alone = member('a', { voters: ['a'] });
  alone.tick();
  alone.settle();
  alone.core.stepDown();
  expect(alone.status).toMatchObject({ role: 'follower', term: 1 });
  alone.tick();
  alone.settle();
  expect(alone.status).toMatchObject({ role: 'leader', term: 2 });
});

test('who does not lead has nothing to step down from', () => {
  const b = follower({ log: [1] });
  b.core.stepDown();
  expect(b.status).toMatchObject({ role: 'follower', leader: 'a' });
  for (const standing of [preCandidate(), candidate()]) {
    const { role, term } = standing.status;
    standing.core.stepDown();
    expect(standing.status).toMatchObject({ role, term });
  }
});

test('who is asked stands at once, without a pre-vote, and says why', () => {
  const b = follower({ log: [1] });
  b.core.step(message('a', 'b', timeoutNow));
  expect(b.status).toMatchObject({ role: 'candidate', term: 2 });
  expect(only('voteRequest', b.settle())).toMatchObject([
    { to: 'a', term: 2, transfer: true },
    { to: 'c', term: 2, transfer: true },
  ]);
});

test('one who stops does not stand, nor one whose leader is another', () => {
  const stopping = follower();
  stopping.core.stop();
  stopping.core.step(message('a', 'b', timeoutNow));
  expect(stopping.status.role).toBe('follower');
  const b = follower();
  b.core.step(message('c', 'b', timeoutNow));
  expect(b.status.role).toBe('follower');
  const late = follower({ term: 3 });
  late.core.step(message('a', 'b', timeoutNow));
  expect(late.status).toMatchObject({ role: 'follower', term: 3 });
});

test('who hears the leader votes for its successor, and for nobody else; the leader makes room', () => {
  const ask = (transfer: boolean) => ({ kind: 'voteRequest', term: 2, lastIndex: 1, lastTerm: 1, transfer }) as const;
  const hearing = follower({ log: [1] });
  hearing.core.step(message('c', 'b', ask(false)));
  expect(hearing.settle()).toEqual([]);
  hearing.core.step(message('c', 'b', ask(true)));
  expect(hearing.settle()).toMatchObject([{ kind: 'voteResponse', granted: true, term: 2 }]);
  const a = settledLeader();
  a.core.step(message('b', 'a', ask(false)));
  expect(a.status.role).toBe('leader');
  a.core.step(message('b', 'a', ask(true)));
  expect(a.status).toMatchObject({ role: 'follower', term: 2 });
});

test('a successor that does not win asks with a pre-vote the next time', () => {
  const b = member('b', { log: [1], config: { random: () => 0 } });
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 0, round: 0 }));
  b.core.step(message('a', 'b', timeoutNow));
  b.settle();
  b.tick(10);
  expect(b.status).toMatchObject({ role: 'preCandidate', term: 2 });
  expect(only('preVoteRequest', b.settle())).toMatchObject([{ transfer: false }, { transfer: false }]);
});
