import { expect, test } from 'vitest';
import {
  accept,
  answerHeartbeat,
  candidate,
  leader,
  member,
  message,
  only,
  preCandidate,
  settledLeader,
} from '../../../test/core/roles.ts';

test('a leader that a majority does not answer for an election timeout steps down, and knows no leader', () => {
  const a = leader();
  a.tick(19);
  expect(a.status.role).toBe('leader');
  a.tick();
  expect(a.status).toMatchObject({ role: 'follower', leader: undefined, term: 1 });
});

test('one answer of three is a majority with itself', () => {
  const a = leader();
  for (let ticks = 0; ticks < 100; ticks += 1) {
    a.tick();
    a.settle();
    answerHeartbeat(a, 'b');
  }
  expect(a.status.role).toBe('leader');
  expect(a.status.followers.get('b')?.recentlyActive).toBe(true);
  expect(a.status.followers.get('c')?.recentlyActive).toBe(false);
});

test('late answers of an earlier term are no sign of life', () => {
  const a = leader({ term: 3 });
  a.tick(19);
  accept(a, 'b', 1, 3);
  a.core.step(message('b', 'a', { kind: 'heartbeatResponse', term: 3, applied: 0, round: 0 }));
  a.tick();
  expect(a.status.role).toBe('follower');
});

test('a node of a later term that answers a heartbeat is freed: the leader steps down to that term', () => {
  const a = leader();
  a.core.step(message('b', 'a', { kind: 'heartbeatResponse', term: 9, applied: 0, round: 0 }));
  expect(a.status).toMatchObject({ role: 'follower', term: 9, leader: undefined });
});

test('after a pause longer than an election a leader must hear its quorum within two heartbeats', () => {
  const a = settledLeader();
  a.core.paused(50);
  a.tick();
  expect(only('heartbeat', a.settle()).map((heartbeat) => heartbeat.to)).toEqual(['b', 'c']);
  a.tick(3);
  expect(a.status.role).toBe('follower');

  const heard = settledLeader();
  heard.core.paused(50);
  heard.tick();
  answerHeartbeat(heard, 'c');
  heard.tick(5);
  expect(heard.status.role).toBe('leader');
});

test('a short pause costs nothing', () => {
  const a = settledLeader();
  a.core.paused(9);
  a.tick(6);
  expect(a.status.role).toBe('leader');
});

test('a leader with a stalled disk steps down only when a quorum of others is durable beyond it', () => {
  const a = settledLeader();
  a.core.propose(new Uint8Array(1));
  a.turn(); // the write stays in flight
  a.core.diskStalled();
  accept(a, 'b', 2);
  a.core.diskStalled();
  expect(a.status.role).toBe('leader');
  accept(a, 'c', 2);
  a.core.diskStalled();
  expect(a.status.role).toBe('follower');
});

test('where its write holds no entries, a leader with a stalled disk appends one, once, to see whether the others are faster', () => {
  const a = settledLeader();
  a.core.diskStalled();
  a.core.diskStalled();
  const sent = only('appendRequest', a.turn());
  expect(sent.map(({ to, entries }) => [to, ...entries.map(({ kind, index }) => `${kind} ${index}`)])).toEqual([
    ['b', 'empty 2'],
    ['c', 'empty 2'],
  ]);
  accept(a, 'b', 2);
  a.core.diskStalled();
  expect(a.status.role, 'all stall together').toBe('leader');
  accept(a, 'c', 2);
  a.core.diskStalled();
  expect(a.status.role).toBe('follower');
});

test('a leader that hands over, or whose others are no majority of themselves, appends nothing for its stalled disk', () => {
  const a = settledLeader();
  a.core.transferLeadership('b');
  const b = settledLeader({ voters: ['a', 'b'] });
  for (const it of [a, b]) {
    it.core.diskStalled();
    expect(it.status.lastIndex).toBe(1);
  }
});

test('who stands for election with a stalled disk withdraws; a follower is not disturbed', () => {
  for (const a of [preCandidate(), candidate()]) {
    a.core.diskStalled();
    expect(a.status.role).toBe('follower');
  }
  const b = member('b');
  b.core.diskStalled();
  b.tick(10);
  expect(b.status.role).toBe('preCandidate');
});
