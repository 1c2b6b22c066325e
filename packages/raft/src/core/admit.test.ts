import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { entriesOf } from '../../test/core/harness.ts';
import { candidate, follower, message, preCandidate, settledLeader } from '../../test/core/roles.ts';
import { InvariantViolated } from './assert.ts';
import { maxTerm } from './bounds.ts';
import type { Message, MessageBody } from './message.ts';

const heartbeat = { kind: 'heartbeat', term: 5, commit: 0, round: 0 } as const;
const append = { kind: 'appendRequest', term: 5, previousIndex: 0, previousTerm: 0, commit: 0, entries: [] } as const;
const answer = {
  kind: 'appendResponse',
  term: 1,
  accepted: true,
  index: 1,
  hintIndex: 0,
  hintTerm: 0,
  applied: 0,
} as const;

test('messages to others and of oneself are dropped', () => {
  const b = follower();
  b.core.step(message('a', 'c', heartbeat));
  b.core.step(message('b', 'b', heartbeat));
  expect(b.status.term).toBe(1);
  b.core.step(message('a', 'b', heartbeat));
  expect(b.status.term).toBe(5);
});

test('answers of strangers are dropped, whatever their term', () => {
  const a = settledLeader();
  a.core.step(message('stranger', 'a', { kind: 'heartbeatResponse', term: 9, applied: 0, round: 0 }));
  a.core.step(message('stranger', 'a', { kind: 'preVoteResponse', term: 9, granted: false }));
  a.core.step(message('stranger', 'a', { kind: 'readRequest', term: 1, context: 1 }));
  expect(a.settle()).toEqual([]);
  expect(a.status).toMatchObject({ role: 'leader', term: 1 });
});

test('a leader that is not known yet is heard: this node may lag behind with the configuration', () => {
  const b = follower();
  b.core.step(message('stranger', 'b', heartbeat));
  expect(b.status).toMatchObject({ term: 5, leader: 'stranger' });
});

test.each<[string, MessageBody]>([
  ['a term that is no number', { ...heartbeat, term: Number.NaN }],
  ['a fraction', { ...heartbeat, term: 5.5 }],
  ['a term that leaves no room', { ...heartbeat, term: maxTerm + 1 }],
  ['a leader of term 0', { ...heartbeat, term: 0 }],
  ['a negative commit index', { ...heartbeat, commit: -1 }],
  ['an index past 2^53', { ...append, previousIndex: 2 ** 53, previousTerm: 1 }],
  ['an index without a term', { ...append, previousIndex: 1 }],
  ['a term without an index', { ...append, previousTerm: 1 }],
  ['entries with a gap', { ...append, entries: entriesOf([1], 2) }],
  ['entries whose terms fall', { ...append, entries: entriesOf([2, 1]) }],
  ['entries of a later term than the leader', { ...append, entries: entriesOf([6]) }],
  [
    'entries of an earlier term than the one before',
    { ...append, previousIndex: 1, previousTerm: 3, entries: entriesOf([2], 2) },
  ],
  ['a round that is none', { ...heartbeat, round: -1 }],
  ['a read without a name', { kind: 'readRequest', term: 5, context: Number.NaN }],
  ['an answer to a read at no index', { kind: 'readResponse', term: 5, context: 1, granted: true, index: 0.5 }],
  ['a wish to hand over in term 0', { kind: 'timeoutNow', term: 0 }],
  [
    'a candidate whose log is of a later term',
    { kind: 'voteRequest', term: 5, lastIndex: 1, lastTerm: 6, transfer: false },
  ],
])('%s is dropped', (_what, body) => {
  const b = follower();
  b.core.step(message('a', 'b', body));
  expect(b.settle()).toEqual([]);
  expect(b.status).toMatchObject({ term: 1, lastIndex: 0 });
});

test('an answer that counts nothing countable is dropped', () => {
  const a = settledLeader();
  a.core.step(message('b', 'a', { ...answer, applied: Number.POSITIVE_INFINITY }));
  a.core.step(message('b', 'a', { ...answer, accepted: false, hintIndex: 3 }));
  expect(a.status.followers.get('b')).toMatchObject({ match: 1, applied: 0 });
});

test('a kind that nobody knows is dropped', () => {
  const b = follower();
  const foreign: Message = Object.assign(message('a', 'b', heartbeat), { kind: 'toString' });
  b.core.step(foreign);
  expect(b.status.term).toBe(1);
});

test('no message crashes a node, unless it says that somebody else broke the protocol', () => {
  const number = fc.oneof(
    fc.integer({ min: -1, max: 8 }),
    fc.constantFrom(Number.NaN, 0.5, 2 ** 53, Number.POSITIVE_INFINITY),
  );
  const body = fc.record({
    kind: fc.constantFrom(
      'preVoteRequest',
      'preVoteResponse',
      'voteRequest',
      'voteResponse',
      'appendRequest',
      'appendResponse',
      'heartbeat',
      'heartbeatResponse',
      'timeoutNow',
      'readRequest',
      'readResponse',
    ),
    term: number,
    lastIndex: number,
    lastTerm: number,
    granted: fc.boolean(),
    previousIndex: number,
    previousTerm: number,
    commit: number,
    entries: fc
      .tuple(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }), fc.integer({ min: 0, max: 6 }))
      .map(([terms, first]) =>
        entriesOf(
          terms.sort((one, other) => one - other),
          first,
        ),
      ),
    accepted: fc.boolean(),
    index: number,
    hintIndex: number,
    hintTerm: number,
    applied: number,
    transfer: fc.boolean(),
    round: number,
    context: number,
    from: fc.constantFrom('a', 'b', 'c', 'x'),
    to: fc.constantFrom('a', 'b'),
  });
  const roles = [
    () => follower({ log: [1, 1, 2] }),
    () => preCandidate({ log: [1, 1] }),
    () => candidate({ log: [1] }),
    () => settledLeader(),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...roles), fc.array(body, { maxLength: 12 }), (begin, bodies) => {
      const node = begin();
      try {
        for (const message of bodies) {
          // Every field of every kind at once: the union is met by whichever kind it says.
          node.core.step(message);
          node.settle();
        }
      } catch (error) {
        expect(error).toBeInstanceOf(InvariantViolated);
        expect(String(error)).toMatch(
          /one leader a term|cannot reach|leader completeness|at or below the commit index/,
        );
      }
    }),
    { numRuns: 500 },
  );
});
