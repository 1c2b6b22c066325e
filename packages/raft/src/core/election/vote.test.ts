import { expect, test } from 'vitest';
import type { Member } from '../../../test/core/harness.ts';
import {
  type Beginning,
  candidate,
  follower,
  leader,
  member,
  message,
  only,
  preCandidate,
} from '../../../test/core/roles.ts';
import type { Message, NodeId } from '../message.ts';

type Kind = 'preVoteRequest' | 'voteRequest';
const ask = (
  of: Member,
  kind: Kind,
  from: NodeId,
  term: number,
  lastIndex: number,
  lastTerm: number,
): readonly Message[] => {
  of.core.step(message(from, of.id, { kind, term, lastIndex, lastTerm, transfer: false }));
  return of.settle();
};
const granted = (messages: readonly Message[]): boolean[] =>
  [...only('voteResponse', messages), ...only('preVoteResponse', messages)].map((answer) => answer.granted);

test('term and vote are durable before the reply that depends on them leaves', () => {
  const b = member('b');
  b.core.step(message('a', 'b', { kind: 'voteRequest', term: 3, lastIndex: 0, lastTerm: 0, transfer: false }));
  expect(b.turn()).toEqual([]);
  expect(b.disk.hardState).toEqual({ term: 0, vote: undefined });
  expect(b.finishWrite()).toMatchObject([{ kind: 'voteResponse', term: 3, granted: true }]);
  expect(b.disk.hardState).toEqual({ term: 3, vote: 'a' });
});

test('one vote a term, also after a restart; the same candidate gets it again', () => {
  const b = member('b');
  expect(granted(ask(b, 'voteRequest', 'a', 3, 0, 0))).toEqual([true]);
  expect(granted(ask(b, 'voteRequest', 'c', 3, 0, 0))).toEqual([false]);
  b.restart();
  expect(granted(ask(b, 'voteRequest', 'c', 3, 0, 0))).toEqual([false]);
  expect(granted(ask(b, 'voteRequest', 'a', 3, 0, 0))).toEqual([true]);
});

test.each<[string, number, number, boolean]>([
  ['a later last term, shorter', 1, 3, true],
  ['the same last term, as long', 3, 2, true],
  ['the same last term, shorter', 2, 2, false],
  ['an earlier last term, longer', 9, 1, false],
])('a candidate whose log ends in %s is voted for: %#', (_how, lastIndex, lastTerm, expected) => {
  const beginning: Beginning = { log: [1, 2, 2] };
  expect(granted(ask(member('b', beginning), 'voteRequest', 'a', 9, lastIndex, lastTerm))).toEqual([expected]);
  expect(granted(ask(member('b', beginning), 'preVoteRequest', 'a', 9, lastIndex, lastTerm))).toEqual([expected]);
});

test('a node that hears a live leader refuses the pre-vote, and does not even listen to a vote request', () => {
  const b = follower();
  expect(granted(ask(b, 'preVoteRequest', 'c', 2, 9, 1))).toEqual([false]);
  expect(ask(b, 'voteRequest', 'c', 2, 9, 1)).toEqual([]);
  expect(b.status).toMatchObject({ term: 1, leader: 'a' });
});

test('a leader that is silent for the shortest election timeout is not protected any more', () => {
  const b = follower({ config: { random: () => 0.9 } });
  b.tick(10);
  expect(granted(ask(b, 'preVoteRequest', 'c', 2, 9, 1))).toEqual([true]);
});

test('a leader that stands for election itself leads no more', () => {
  const b = follower();
  expect(granted(ask(b, 'preVoteRequest', 'a', 2, 9, 1))).toEqual([true]);
});

test('a leader protects its own office', () => {
  const a = leader();
  expect(granted(ask(a, 'preVoteRequest', 'c', 2, 9, 1))).toEqual([false]);
  expect(ask(a, 'voteRequest', 'c', 2, 9, 1)).toEqual([]);
  expect(a.status).toMatchObject({ role: 'leader', term: 1 });
});

test('a granted pre-vote changes no term and no vote, and does not reset the election timer', () => {
  const b = member('b'); // due after 10 ticks
  b.tick(9);
  expect(granted(ask(b, 'preVoteRequest', 'a', 1, 0, 0))).toEqual([true]);
  expect(b.status.term).toBe(0);
  b.tick();
  expect(b.status.role).toBe('preCandidate');
});

test('a granted vote resets the election timer, a refused one does not', () => {
  const granting = member('b');
  granting.tick(9);
  ask(granting, 'voteRequest', 'a', 1, 0, 0);
  granting.tick(9);
  expect(granting.status.role).toBe('follower');

  const refusing = member('b', { log: [1] });
  refusing.tick(9);
  ask(refusing, 'voteRequest', 'a', 2, 0, 0);
  expect(refusing.status.term).toBe(2);
  refusing.tick();
  expect(refusing.status.role).toBe('preCandidate');
});

test('pre-votes may be granted to several', () => {
  const b = member('b');
  expect(granted(ask(b, 'preVoteRequest', 'a', 1, 0, 0))).toEqual([true]);
  expect(granted(ask(b, 'preVoteRequest', 'c', 1, 0, 0))).toEqual([true]);
});

test('a refusal tells the own term, so that a stale candidate learns it', () => {
  const b = member('b', { term: 7 });
  expect(ask(b, 'preVoteRequest', 'a', 3, 0, 0)).toMatchObject([{ kind: 'preVoteResponse', term: 7, granted: false }]);
  expect(ask(b, 'voteRequest', 'a', 3, 0, 0)).toMatchObject([{ kind: 'voteResponse', term: 7, granted: false }]);

  const a = preCandidate();
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 7, granted: false }));
  expect(a.status).toMatchObject({ role: 'follower', term: 7 });
});

test('a vote request leaves after the own vote is durable, and so long the own voice does not count', () => {
  const alone = member('a', { voters: ['a'] });
  alone.tick();
  expect(alone.status).toMatchObject({ role: 'candidate', term: 1 });
  expect(alone.turn()).toEqual([]);
  expect(alone.status.role).toBe('candidate');
  alone.finishWrite();
  expect(alone.status.role).toBe('leader');

  const a = candidate();
  expect(a.turn()).toEqual([]);
  expect(only('voteRequest', a.finishWrite()).map((request) => request.to)).toEqual(['b', 'c']);
});

test('nobody leads before its own vote is durable, whoever else votes for it', () => {
  const a = candidate();
  for (const from of ['b', 'c']) a.core.step(message(from, 'a', { kind: 'voteResponse', term: 1, granted: true }));
  expect(a.status.role).toBe('candidate');
  a.finishWrite();
  expect(a.status.role).toBe('leader');
});

test('answers of another round or role elect nobody', () => {
  const a = preCandidate();
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 9, granted: true }));
  a.core.step(message('b', 'a', { kind: 'voteResponse', term: 0, granted: true }));
  expect(a.status).toMatchObject({ role: 'preCandidate', term: 0 });

  const b = candidate();
  b.settle();
  b.core.step(message('b', 'a', { kind: 'voteResponse', term: 0, granted: true }));
  b.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 1, granted: true }));
  expect(b.status.role).toBe('candidate');
});

test('a late refusal of an earlier round does not outweigh a grant of this one', () => {
  const a = preCandidate();
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 0, granted: false }));
  expect(a.status.role).toBe('preCandidate');
  a.core.step(message('b', 'a', { kind: 'preVoteResponse', term: 1, granted: true }));
  expect(a.status.role).toBe('candidate');
});
