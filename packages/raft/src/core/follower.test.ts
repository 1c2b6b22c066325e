import { expect, test } from 'vitest';
import { append, follower, message, only, termsOf } from '../../test/core/roles.ts';
import { InvariantViolated } from './assert.ts';

const acknowledged = (messages: Parameters<typeof only>[1]): number[] =>
  only('appendResponse', messages).flatMap((answer) => (answer.accepted ? [answer.index] : []));

test('an append truncates only where a conflict is proven', () => {
  const b = follower({ log: [1, 1, 1, 1], term: 2 });
  append(b, 2, [1, 1], [1, 2]);
  b.settle();
  expect(termsOf(b)).toEqual([1, 1, 2]);
});

test('a repeated or late append never shortens the log', () => {
  const b = follower({ log: [1, 1, 1, 1] });
  append(b, 1, [1, 1], [1]);
  expect(acknowledged(b.settle())).toEqual([2]);
  append(b, 1, [0, 0], [1, 1, 1, 1]);
  expect(acknowledged(b.settle())).toEqual([4]);
  expect(termsOf(b)).toEqual([1, 1, 1, 1]);
});

test('nothing at or below the commit index is ever truncated: such an append stops the node', () => {
  const b = follower({ log: [1, 1, 1], term: 2 });
  append(b, 2, [3, 1], [2], 3);
  b.settle();
  expect(() => append(b, 2, [1, 1], [2])).toThrow(InvariantViolated);
  expect(termsOf(b)).toEqual([1, 1, 1, 2]);
});

test('a leader that misses what is committed here stops the node', () => {
  const b = follower({ log: [1, 1, 1], term: 2 });
  append(b, 2, [3, 1], [2], 3);
  b.settle();
  expect(() => append(b, 2, [2, 2], [2])).toThrow('leader completeness');
});

test('the commit index is bounded by what the append proved to match, not by the own last index', () => {
  // Entries 2 to 4 are of a leader that was deposed; the new one has only proven entry 1, and has committed 4 others.
  const b = follower({ log: [1, 2, 2, 2], term: 3 });
  append(b, 3, [0, 0], [1], 4);
  b.settle();
  expect(b.status.commit).toBe(1);
});

test('a heartbeat commits what it names, and nothing that this log does not hold', () => {
  const b = follower({ log: [1, 1] });
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 2, round: 0 }));
  expect(b.status.commit).toBe(2);
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 3, round: 0 }));
  expect(b.status.commit).toBe(2);
});

test('an acknowledgement leaves only once what it claims is durable', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], [1, 1]);
  expect(acknowledged(b.turn())).toEqual([]);
  expect(acknowledged(b.finishWrite())).toEqual([3]);
});

test('what is acknowledged during a write waits for the next one, and several become one', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], [1]);
  b.turn();
  append(b, 1, [2, 1], [1]);
  append(b, 1, [3, 1], [1]);
  append(b, 1, [2, 1], [1]);
  expect(acknowledged([...b.turn(), ...b.finishWrite()])).toEqual([2]);
  b.turn();
  expect(acknowledged(b.finishWrite())).toEqual([4]);
});

test('an acknowledgement that waits for the disk is dropped when a later term begins', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], [1]);
  const rival = { kind: 'appendRequest', term: 2, previousIndex: 1, previousTerm: 1, commit: 0, entries: [] } as const;
  b.core.step(message('c', 'b', rival));
  const sent = b.settle();
  expect(sent).toMatchObject([{ kind: 'appendResponse', to: 'c', term: 2, accepted: true, index: 1 }]);
});

test('a refusal points at the last index whose term is not later than the refused one', () => {
  const b = follower({ log: [1, 1, 3, 3, 3], term: 4 });
  append(b, 4, [5, 2], [4]);
  expect(b.settle()).toMatchObject([{ kind: 'appendResponse', accepted: false, index: 5, hintIndex: 2, hintTerm: 1 }]);
});

test('a refusal of what lies beyond the log points at its end', () => {
  const b = follower({ log: [1, 1], term: 4 });
  append(b, 4, [9, 3], [4]);
  expect(b.settle()).toMatchObject([{ kind: 'appendResponse', accepted: false, index: 9, hintIndex: 2, hintTerm: 1 }]);
});

test('the completion of a write never counts for entries that a newer leader has put in its place (ABA)', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], [1, 1]);
  b.turn(); // 2/1 and 3/1 are being written
  b.core.step(
    message('c', 'b', {
      kind: 'appendRequest',
      term: 2,
      previousIndex: 1,
      previousTerm: 1,
      commit: 3,
      entries: [2, 3].map((index) => ({
        index,
        term: 2,
        kind: 'commands',
        payload: new Uint8Array(1),
        bytes: new Uint8Array(1),
      })),
    }),
  );
  b.finishWrite();
  expect(b.status).toMatchObject({ commit: 3, durableIndex: 1 });
  expect(b.applied).toEqual([]);
  expect(acknowledged(b.settle())).toEqual([3]);
  expect(termsOf(b)).toEqual([1, 2, 2]);
  expect(b.applied.map((entry) => entry.term)).toEqual([1, 2, 2]);
});

test('two leaders in one term stop the node', () => {
  const b = follower({ log: [1] });
  expect(() => b.core.step(message('c', 'b', { kind: 'heartbeat', term: 1, commit: 0, round: 0 }))).toThrow(
    'one leader a term',
  );
});

test('a leader of an earlier term learns the term, and changes nothing', () => {
  const b = follower({ log: [1], term: 5 });
  append(b, 4, [1, 1], [4], 2);
  b.core.step(message('c', 'b', { kind: 'heartbeat', term: 4, commit: 1, round: 0 }));
  expect(b.settle()).toMatchObject([
    { kind: 'heartbeatResponse', to: 'a', term: 5 },
    { kind: 'heartbeatResponse', to: 'c', term: 5 },
  ]);
  expect(b.status).toMatchObject({ leader: 'a', commit: 0, lastIndex: 1 });
});

test('bytes of a large append that is still arriving keep a follower from campaigning; those of others do not', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], []);
  for (let ticks = 0; ticks < 100; ticks += 1) {
    b.tick(1);
    b.core.heard('a');
  }
  expect(b.status).toMatchObject({ role: 'follower', leader: 'a' });
  for (let ticks = 0; ticks < 100; ticks += 1) {
    b.tick(1);
    b.core.heard('c');
  }
  expect(b.status.role).toBe('preCandidate');
});
