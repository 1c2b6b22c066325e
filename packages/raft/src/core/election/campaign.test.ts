import { expect, test } from 'vitest';
import { append, candidate, follower, member, message, only, preCandidate } from '../../../test/core/roles.ts';
import { backlogPatienceElections, maxFastAttempts } from '../bounds.ts';

const asked = (messages: Parameters<typeof only>[1]): number => only('preVoteRequest', messages).length;

test('the leader id is cleared when the election timeout passes', () => {
  const b = follower();
  b.tick(9);
  expect(b.status.leader).toBe('a');
  b.tick();
  expect(b.status).toMatchObject({ role: 'preCandidate', leader: undefined, term: 1 });
});

test('the election timeout lies between its limits and is drawn anew', () => {
  for (const [drawn, ticks] of [
    [0, 10],
    [0.5, 15],
    [0.999, 20],
  ] as const) {
    const b = member('b', { config: { random: () => drawn } });
    b.tick(ticks - 1);
    expect(b.status.role).toBe('follower');
    b.tick();
    expect(b.status.role).toBe('preCandidate');
  }
});

test('a candidate that is neither elected nor refused begins again with a pre-vote, in the same term', () => {
  const a = candidate();
  a.settle();
  a.tick(10);
  expect(a.status).toMatchObject({ role: 'preCandidate', term: 1 });
});

test('a lost pre-vote ends at once; the next waits for an election timeout', () => {
  const a = preCandidate();
  for (const from of ['b', 'c']) a.core.step(message(from, 'a', { kind: 'preVoteResponse', term: 0, granted: false }));
  expect(a.status.role).toBe('follower');
  a.tick(9);
  expect(a.status.role).toBe('follower');
  a.tick();
  expect(a.status.role).toBe('preCandidate');
});

test('news of the dead leader starts a pre-vote within the fast election time', () => {
  const b = follower({ config: { random: () => 0.999 } });
  b.core.peerDown('a');
  expect(b.status).toMatchObject({ role: 'follower', leader: undefined });
  b.tick();
  expect(b.status.role).toBe('follower');
  b.tick();
  expect(b.status.role).toBe('preCandidate');

  const atOnce = follower();
  atOnce.core.peerDown('a');
  expect(atOnce.status.role).toBe('preCandidate');
});

test('news of another peer is no reason to stand', () => {
  const b = follower();
  b.core.peerDown('c');
  b.core.peerDown('nobody');
  b.tick(9);
  expect(b.status).toMatchObject({ role: 'follower', leader: 'a' });
});

test('wrong news are harmless: the heartbeat of the leader ends the candidacy', () => {
  const b = follower();
  b.core.peerDown('a');
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 0, round: 0 }));
  expect(b.status).toMatchObject({ role: 'follower', leader: 'a', term: 1 });
  b.tick(9);
  expect(b.status.role).toBe('follower');
});

test('while the evidence stands, a pre-vote without a majority is repeated soon, and not for ever', () => {
  const b = follower({ config: { random: () => 0 } });
  b.core.peerDown('a');
  let rounds = 0;
  for (let ticks = 0; ticks < 200; ticks += 1) {
    rounds += asked(b.settle()) / 2;
    b.tick();
  }
  // Early rounds every 3 ticks, ordinary ones every 10.
  const early = maxFastAttempts;
  expect(rounds).toBe(1 + early + Math.floor((200 - early * 3) / 10));
});

test('one refusal loses the pre-vote when the third voter is known to be gone', () => {
  const b = follower();
  b.core.peerDown('a');
  b.core.step(message('c', 'b', { kind: 'preVoteResponse', term: 1, granted: false }));
  expect(b.status.role).toBe('follower');
  b.tick(3);
  expect(b.status.role).toBe('preCandidate');
});

test('a peer that is heard again is not gone', () => {
  const a = preCandidate();
  a.core.peerDown('c');
  a.core.step(message('c', 'a', { kind: 'preVoteRequest', term: 1, lastIndex: 0, lastTerm: 0, transfer: false }));
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 0, granted: false }));
  expect(a.status.role).toBe('preCandidate');
});

test('a follower that hears its leader never stands', () => {
  const b = follower();
  for (let heartbeats = 0; heartbeats < 10; heartbeats += 1) {
    b.tick(9);
    expect(b.status).toMatchObject({ role: 'follower', leader: 'a' });
    b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 0, round: 0 }));
  }
});

test('the same news decides a round that is under way', () => {
  const a = preCandidate();
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 0, granted: false }));
  expect(a.status.role).toBe('preCandidate');
  a.core.peerDown('c');
  expect(a.status.role).toBe('follower');
});

test('of two candidates that meet after a death, the earlier name refuses and the later one makes room', () => {
  const request = { kind: 'preVoteRequest', term: 2, lastIndex: 0, lastTerm: 0, transfer: false } as const;
  const b = follower();
  b.core.peerDown('a');
  b.settle();
  b.core.step(message('c', 'b', request));
  expect(b.status.role).toBe('preCandidate');
  expect(b.settle()).toMatchObject([{ kind: 'preVoteResponse', granted: false }]);

  const laterName = follower({ voters: ['a', 'b', 'B'] });
  laterName.core.peerDown('a');
  laterName.settle();
  laterName.core.step(message('B', 'b', request));
  expect(laterName.status.role).toBe('follower');
  expect(laterName.settle()).toMatchObject([{ kind: 'preVoteResponse', granted: true }]);
});

test('a candidate with a backlog waits until it is applied, and stands at once then', () => {
  const b = follower({ log: [1, 1] });
  b.applies = false;
  append(b, 1, [2, 1], [1], 3);
  b.settle();
  b.tick(30);
  expect(b.status).toMatchObject({ role: 'follower', leader: undefined, commit: 3, applied: 0 });
  b.apply();
  expect(b.status).toMatchObject({ role: 'preCandidate', applied: 3 });
});

test('a backlog that does not move is not waited for for ever', () => {
  const b = follower({ log: [1, 1] });
  b.applies = false;
  append(b, 1, [2, 1], [1], 3);
  b.settle();
  const patience = backlogPatienceElections * b.config.electionMaxTicks;
  b.tick(10 + patience - 1);
  expect(b.status.role).toBe('follower');
  b.tick();
  expect(b.status.role).toBe('preCandidate');
});

test('a node that stops does not stand, and withdraws', () => {
  const b = follower();
  b.core.stop();
  b.tick(100);
  expect(b.status.role).toBe('follower');
  const standing = [preCandidate(), candidate()];
  for (const a of standing) {
    a.core.stop();
    expect(a.status.role).toBe('follower');
  }
});

test('after a pause a follower waits for the heartbeats that lie in its sockets, and protects no leader of before', () => {
  const b = follower();
  b.tick(8);
  b.core.paused(50);
  b.tick(3);
  expect(b.status.role).toBe('follower');

  const c = follower();
  c.tick();
  c.core.paused(50);
  c.core.step(message('c', 'b', { kind: 'preVoteRequest', term: 2, lastIndex: 9, lastTerm: 1, transfer: false }));
  expect(c.settle()).toMatchObject([{ kind: 'preVoteResponse', granted: true }]);
  b.core.step(message('c', 'b', { kind: 'preVoteRequest', term: 2, lastIndex: 9, lastTerm: 1, transfer: false }));
  expect(b.settle()).toMatchObject([{ kind: 'preVoteResponse', granted: true }]);
  b.tick(10);
  expect(b.status.role).toBe('preCandidate');
});

test('one that is alone waits for its own vote, however long its disk takes', () => {
  const a = member('a', { voters: ['a'] });
  while (a.status.role !== 'candidate') a.tick();
  a.turn();
  for (let ticks = 0; ticks < 100; ticks += 1) {
    a.core.diskStalled();
    a.tick();
  }
  expect(a.status).toMatchObject({ role: 'candidate', term: 1 });
  a.settle();
  expect(a.status).toMatchObject({ role: 'leader', term: 1 });
});

/** Its own vote is being written. */
function candidateThatWrites() {
  const a = preCandidate();
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 1, granted: true }));
  a.turn();
  return a;
}

test('a candidate waits longer by the time that its disk took for its vote, and by as much again for the disks of the others', () => {
  const a = candidateThatWrites();
  a.tick(50);
  expect(a.status).toMatchObject({ role: 'candidate', term: 1 });
  const asked = only('voteRequest', [...a.finishWrite()]);
  expect(asked.map(({ to }) => to)).toEqual(['b', 'c']);
  a.tick(50);
  expect(a.status).toMatchObject({ role: 'candidate', term: 1 });
  a.tick(10);
  expect(a.status.role).toBe('preCandidate');
});

test('a disk that took very long for a vote puts off the next election by four timeouts at most', () => {
  const a = candidateThatWrites();
  a.tick(150);
  a.finishWrite();
  a.tick(85);
  expect(a.status.role).toBe('candidate');
  a.tick(5);
  expect(a.status.role).toBe('preCandidate');
});

test('a candidate that withdrew because its disk hung stands again as soon as that answers', () => {
  const a = candidateThatWrites();
  a.tick(80);
  a.core.diskStalled();
  expect(a.status.role).toBe('follower');
  a.tick(20);
  a.finishWrite();
  a.tick(1);
  expect(a.status.role).toBe('preCandidate');
});

test('a voter waits for the candidate from when its vote leaves, however long its disk took for that', () => {
  const b = member('b');
  b.core.step(message('a', 'b', { kind: 'voteRequest', term: 1, lastIndex: 0, lastTerm: 0, transfer: false }));
  b.turn(); // its vote is being written
  b.tick(50);
  expect(only('voteResponse', [...b.finishWrite()])).toMatchObject([{ to: 'a', granted: true }]);
  b.tick(9);
  expect(b.status).toMatchObject({ role: 'follower', term: 1 });
  b.tick(1);
  expect(b.status.role).toBe('preCandidate');
});
