import { expect, test } from 'vitest';
import { command, entriesOf, type TestState } from '../../../test/core/harness.ts';
import {
  accept,
  append,
  candidate,
  follower,
  leader,
  message,
  only,
  reject,
  termsOf,
} from '../../../test/core/roles.ts';

const stateOf = (terms: readonly number[]): TestState => ({
  entries: entriesOf(terms),
  configuration: { voters: [], learners: [] },
});

test('a state takes the place of a log that lacks its entries: one write, then all indexes stand on it', () => {
  const b = follower({ log: [1], term: 2 });
  expect(b.restore(stateOf([1, 1, 2, 2]))).toBe('accepted');
  b.turn();
  expect(b.writing).toMatchObject({
    truncateFrom: undefined,
    entries: [],
    restore: { index: 4, term: 2, generation: 1 },
  });
  expect(b.status).toMatchObject({ lastIndex: 4, applied: 0, commit: 4 });
  b.finishWrite();
  expect(b.status).toMatchObject({ lastIndex: 4, durableIndex: 4, applied: 4, commit: 4 });
  expect(b.disk.firstIndex).toBe(5);
  append(b, 2, [4, 2], [2], 5);
  b.settle();
  expect(b.applied).toHaveLength(5);
});

test('one that is older than what is committed, or the same, changes nothing', () => {
  const b = follower({ log: [1, 1, 1] });
  append(b, 1, [3, 1], [], 2);
  for (const terms of [[1], [1, 1]]) expect(b.restore(stateOf(terms))).toBe('unneeded');
  b.settle();
  expect(termsOf(b)).toEqual([1, 1, 1]);
  expect(b.status).toMatchObject({ commit: 2, applied: 2 });
});

test('where its last entry is in the log, the log stays, with what follows it, and is committed to there', () => {
  const b = follower({ log: [1, 1, 1] });
  expect(b.restore(stateOf([1, 1]))).toBe('unneeded');
  b.settle();
  expect(termsOf(b)).toEqual([1, 1, 1]);
  expect(b.status).toMatchObject({ commit: 2, applied: 2, lastIndex: 3 });
});

test('entries that disagree with it go, durable or on their way to the disk', () => {
  const b = follower({ log: [1, 1, 1], term: 2 });
  append(b, 2, [3, 1], [2, 2]);
  b.turn(); // 4 and 5 are being written
  expect(b.restore(stateOf([1, 1, 1, 3, 3, 3]))).toBe('accepted');
  b.finishWrite();
  expect(b.status).toMatchObject({ lastIndex: 6, term: 3 });
  expect(b.status.durableIndex).toBeLessThan(4);
  b.settle();
  expect(b.status).toMatchObject({ lastIndex: 6, durableIndex: 6, applied: 6 });
});

test('the end of a write that was under way makes nothing durable of what takes the place of its entries', () => {
  const b = follower({ log: [1, 1, 1], term: 2 });
  append(b, 2, [3, 1], [2, 2]);
  b.turn(); // 4/2 and 5/2 are being written
  expect(b.restore(stateOf([1, 1, 1, 3]))).toBe('accepted');
  append(b, 3, [4, 3], [3]);
  b.finishWrite();
  expect(b.status).toMatchObject({ lastIndex: 5, term: 3 });
  expect(b.status.durableIndex).toBeLessThan(4);
  b.settle();
  expect(termsOf(b)).toEqual([1, 1, 1, 3, 3]);
});

test('what is committed and was not given out before a state came is in the state', () => {
  const b = follower({ log: [1, 1, 1], term: 2, config: { maxApplyBytes: 1 } });
  b.applies = false;
  append(b, 2, [3, 1], [], 3);
  b.turn();
  b.restore(stateOf([1, 1, 1, 2]));
  b.apply();
  expect(b.applied).toHaveLength(1);
  b.turn();
  b.finishWrite();
  b.applies = true;
  b.settle();
  expect(b.applied.map((entry) => entry.term)).toEqual([1, 1, 1, 2]);
});

test('what comes after the state waits for a write of its own, and so does its acknowledgement', () => {
  const b = follower({ log: [1], term: 2 });
  b.restore(stateOf([1, 1, 2]));
  append(b, 2, [3, 2], [2, 2]);
  b.turn();
  expect(b.writing).toMatchObject({ entries: [], messagesAfterWrite: [] });
  b.finishWrite();
  expect(b.turn()).toEqual([]);
  expect(b.writing?.entries.map((entry) => entry.index)).toEqual([4, 5]);
  expect(b.finishWrite()).toMatchObject([{ kind: 'appendResponse', accepted: true, index: 5 }]);
});

test('the flip waits until everything that was given out is applied, and nothing is given out meanwhile', () => {
  const b = follower({ log: [1, 1, 1], term: 2 });
  b.applies = false;
  append(b, 2, [3, 1], [], 2);
  b.turn();
  b.restore(stateOf([1, 1, 2, 2]));
  b.turn();
  expect(b.writing).toBeUndefined();
  b.apply();
  b.turn();
  expect(b.writing?.restore).toMatchObject({ index: 4 });
  append(b, 2, [4, 2], [], 4);
  b.turn();
  b.finishWrite();
  expect(b.applied.map((entry) => entry.term)).toEqual([1, 1, 2, 2]);
});

test('a crash before the flip leaves the old log, one after it the new', () => {
  const before = follower({ log: [1, 1], term: 2 });
  before.restore(stateOf([1, 2, 2]));
  before.turn();
  before.restart();
  expect(before.status).toMatchObject({ lastIndex: 2, applied: 0 });
  const after = follower({ log: [1, 1], term: 2 });
  after.restore(stateOf([1, 2, 2]));
  after.settle();
  after.restart();
  expect(after.status).toMatchObject({ lastIndex: 3, durableIndex: 3, applied: 3, commit: 3 });
});

test('one at a time; a candidate makes room; a leader needs none', () => {
  const b = follower({ log: [1], term: 2 });
  b.restore(stateOf([1, 2]));
  expect(b.restore(stateOf([1, 2, 2]))).toBe('unneeded');
  const standing = candidate({ log: [1] });
  expect(standing.restore(stateOf([1, 1, 1]))).toBe('accepted');
  expect(standing.status.role).toBe('follower');
  const a = leader({ log: [1, 1] });
  expect(a.restore(stateOf([1, 1]))).toBe('unneeded');
  expect(() => a.restore(stateOf([1, 1, 1, 1, 1]))).toThrow('a leader holds what is committed');
});

test('a late append that speaks of compacted entries is acknowledged up to what is committed', () => {
  const b = follower({ log: [1, 1, 1, 1] });
  append(b, 1, [4, 1], [], 3);
  b.settle();
  b.disk.compact(4);
  append(b, 1, [1, 1], [1, 1, 1]);
  expect(b.settle()).toMatchObject([{ accepted: true, index: 3 }]);
  append(b, 1, [0, 0], [1]);
  expect(b.settle()).toMatchObject([{ accepted: true, index: 1 }]);
  expect(termsOf(b)).toEqual([1, 1, 1, 1]);
});

test('who needs what is compacted is named, again while it answers and needs it, and gets no entries', () => {
  for (const [hintIndex, hintTerm] of [
    [0, 0],
    [1, 1],
    [3, 1],
  ] as const) {
    const a = leader({ log: [1, 1, 2, 2, 2] });
    accept(a, 'c', 6);
    a.settle();
    a.disk.compact(4);
    reject(a, 'b', 5, hintIndex, hintTerm);
    expect(only('appendRequest', a.settle())).toEqual([]);
    expect(a.snapshotsFor).toEqual(['b']);
    for (let ticks = 0; ticks < 20; ticks += 1) {
      a.tick();
      for (const peer of ['b', 'c']) {
        a.core.step(message(peer, 'a', { kind: 'heartbeatResponse', term: 3, applied: 0, round: 0 }));
      }
      expect(only('appendRequest', a.settle())).toEqual([]);
    }
    expect(a.snapshotsFor).toEqual(['b', 'b']);
    a.core.snapshotInstalled('b', 99);
    expect(a.settle()).toEqual([]);
    a.core.snapshotInstalled('b', 6);
    expect(only('appendRequest', a.settle())).toMatchObject([{ to: 'b', previousIndex: 6, entries: [] }]);
    accept(a, 'b', 6);
    expect(a.status.followers.get('b')?.match).toBe(6);
    a.core.propose(command('x'));
    expect(only('appendRequest', a.settle()).map((sent) => sent.to)).toEqual(['b', 'c']);
  }
});

test('a reset connection does not lead a follower that was never heard to a state that it does not need', () => {
  const a = leader({ log: [1, 1, 1] });
  accept(a, 'c', 4);
  a.settle();
  a.disk.compact(3);
  a.core.peerReset('b');
  expect(only('appendRequest', a.settle())).toMatchObject([{ to: 'b', previousIndex: 3 }]);
  expect(a.snapshotsFor).toEqual([]);
});

test('one that is silent is not named', () => {
  const a = leader({ log: [1, 1, 1] });
  accept(a, 'c', 4);
  a.settle();
  a.disk.compact(3);
  for (let ticks = 0; ticks < 25; ticks += 1) {
    a.tick();
    a.core.step(message('c', 'a', { kind: 'heartbeatResponse', term: 2, applied: 0, round: 0 }));
  }
  reject(a, 'b', 3, 0, 0);
  a.settle();
  expect(a.snapshotsFor).toEqual(['b']);
  for (let ticks = 0; ticks < 25; ticks += 1) {
    a.tick();
    a.core.step(message('c', 'a', { kind: 'heartbeatResponse', term: 2, applied: 0, round: 0 }));
    a.settle();
  }
  expect(a.status.role).toBe('leader');
  a.core.peerReset('b');
  a.settle();
  expect(a.snapshotsFor).toHaveLength(1);
});
