import { expect, test } from 'vitest';
import { command, headerBytes, textOf } from '../../test/core/harness.ts';
import { accept, append, follower, member, message, settledLeader } from '../../test/core/roles.ts';

test('while a write is in flight, messages and committed entries still come, and nothing that needs the disk', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.turn();
  a.core.propose(command('y'));
  const ready = a.core.ready({ canWrite: false });
  expect(ready.write).toBeUndefined();
  expect(ready.messages.map((sent) => sent.kind)).toEqual(['appendRequest', 'appendRequest']);
  a.finishWrite();
  expect(a.core.ready({ canWrite: true }).write).toMatchObject({ hardState: undefined, entries: [{ index: 3 }] });
});

test('a driver that says it can write during a write is stopped, as is a receipt for no write', () => {
  const a = settledLeader();
  expect(() => a.core.advance({ kind: 'written', lastIndex: 0, lastTerm: 0 })).toThrow('only a write in flight');
  a.core.propose(command('x'));
  a.turn();
  expect(() => a.core.ready({ canWrite: true })).toThrow('one write in flight');
});

test('hard state goes out once, with what depends on it behind it', () => {
  const b = member('b');
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 3, commit: 0, round: 0 }));
  const { write, messages } = b.core.ready({ canWrite: true });
  expect(messages).toEqual([]);
  expect(write).toMatchObject({
    hardState: { term: 3, vote: undefined },
    truncateFrom: undefined,
    entries: [],
    messagesAfterWrite: [{ kind: 'heartbeatResponse', term: 3 }],
  });
  b.core.advance({ kind: 'written', lastIndex: 0, lastTerm: 0 });
  expect(b.core.ready({ canWrite: true })).toEqual({
    messages: [],
    write: undefined,
    committed: [],
    readStates: [],
    snapshotsFor: [],
  });
});

test('a term or vote that changes during a write is written again', () => {
  const b = member('b');
  b.core.step(message('a', 'b', { kind: 'voteRequest', term: 3, lastIndex: 0, lastTerm: 0, transfer: false }));
  b.turn();
  b.core.step(message('c', 'b', { kind: 'voteRequest', term: 4, lastIndex: 0, lastTerm: 0, transfer: false }));
  expect(b.finishWrite()).toMatchObject([{ to: 'a', term: 3, granted: true }]);
  expect(b.turn()).toEqual([]);
  expect(b.finishWrite()).toMatchObject([{ to: 'c', term: 4, granted: true }]);
  expect(b.disk.hardState).toEqual({ term: 4, vote: 'c' });
});

test('a disk that stands still collects one message a receiver and kind', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], [1]);
  b.turn();
  for (let index = 2; index < 100; index += 1) append(b, 1, [index, 1], [1]);
  b.finishWrite();
  expect(b.core.ready({ canWrite: true }).write?.messagesAfterWrite).toHaveLength(1);
});

test('an acknowledgement of what is durable already needs no write', () => {
  const b = follower({ log: [1, 1] });
  append(b, 1, [0, 0], [1, 1]);
  expect(b.turn()).toMatchObject([{ kind: 'appendResponse', accepted: true, index: 2 }]);
  expect(b.writing).toBeUndefined();
});

test('committed entries are given out once, in order, and only what is durable here', () => {
  const b = follower({ log: [1] });
  append(b, 1, [1, 1], [1, 1], 3);
  expect(b.core.ready({ canWrite: false }).committed.map((entry) => entry.index)).toEqual([1]);
  b.turn();
  b.finishWrite();
  expect(b.core.ready({ canWrite: true }).committed.map((entry) => entry.index)).toEqual([2, 3]);
  expect(b.core.ready({ canWrite: true }).committed).toEqual([]);
});

test('a call gives out at most maxApplyBytes, and no more follows while that much is not applied', () => {
  const size = headerBytes + 1;
  const b = follower({ log: [1, 1, 1, 1, 1, 1, 1], config: { maxApplyBytes: 2 * size } });
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 7, round: 0 }));
  const given = (): number[] => b.core.ready({ canWrite: false }).committed.map((entry) => entry.index);
  expect(given()).toEqual([1, 2]);
  expect(given()).toEqual([]);
  b.core.advance({ kind: 'applied', index: 1 });
  expect(given()).toEqual([]);
  b.core.advance({ kind: 'applied', index: 2 });
  expect(given()).toEqual([3, 4]);
  expect(() => b.core.advance({ kind: 'applied', index: 5 })).toThrow('applied is what was given out');
  expect(() => b.core.advance({ kind: 'applied', index: 1 })).toThrow('applied is what was given out');
});

test('after a restart nothing is applied twice: the commit index begins at the applied one', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'b', 2);
  a.settle();
  a.restart();
  expect(a.status).toMatchObject({ role: 'follower', term: 1, commit: 2, applied: 2, lastIndex: 2, durableIndex: 2 });
  a.settle();
  expect(a.applied.map(textOf)).toEqual(['', 'x']);
});

test('a state that cannot be is not started from', () => {
  expect(() => member('b', { log: [1, 2], term: 1 })).toThrow('later term than the hard state');
  expect(() => member('a', { config: { electionMinTicks: 2 } })).toThrow('longer than a heartbeat');
});
