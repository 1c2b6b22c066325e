import { expect, test } from 'vitest';
import { command, headerBytes, textOf } from '../../test/core/harness.ts';
import {
  accept,
  answerHeartbeat,
  candidate,
  leader,
  message,
  only,
  reject,
  settledLeader,
} from '../../test/core/roles.ts';

const appendsTo = (peer: string, messages: Parameters<typeof only>[1]) =>
  only('appendRequest', messages).filter((append) => append.to === peer);

test('only an entry of the own term is committed by counting', () => {
  const a = leader({ log: [1, 1], term: 3 }); // 3/4 is its empty entry
  accept(a, 'b', 2);
  accept(a, 'c', 2);
  expect(a.status.commit).toBe(0);
  accept(a, 'b', 3);
  expect(a.status.commit).toBe(3);
});

test('a leader begins its term with an empty entry', () => {
  const a = leader({ log: [1] });
  expect(a.disk.log.at(-1)).toMatchObject({ index: 2, term: 2, kind: 'empty' });
  expect(a.status.termStartIndex).toBe(2);
});

test('entries go to the followers at once, and count for the leader only once they are on its own disk', () => {
  const a = settledLeader({ voters: ['a', 'b'] });
  expect(a.core.propose(command('x'))).toEqual({ kind: 'appended', index: 2, term: 1 });
  expect(appendsTo('b', a.turn())).toMatchObject([{ previousIndex: 1, previousTerm: 1, entries: [{ index: 2 }] }]);
  accept(a, 'b', 2);
  expect(a.status.commit).toBe(1);
  a.finishWrite();
  expect(a.status.commit).toBe(2);
});

test('a majority of other disks commits what the own disk does not have, and it is applied here when it has', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.turn();
  accept(a, 'b', 2);
  accept(a, 'c', 2);
  a.turn();
  expect(a.status).toMatchObject({ commit: 2, applied: 1, durableIndex: 1 });
  a.settle();
  expect(a.applied.map(textOf)).toEqual(['', 'x']);
});

test('the commit index is told at once, and to each follower only what it is known to have', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'b', 2);
  expect(a.settle()).toMatchObject([{ kind: 'heartbeat', to: 'b', commit: 2, round: 0 }]);
  accept(a, 'c', 2);
  expect(a.settle()).toMatchObject([{ kind: 'heartbeat', to: 'c', commit: 2, round: 0 }]);
  expect(a.settle()).toEqual([]);
});

test('an append that is under way anyway carries the commit index', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'b', 2);
  a.core.propose(command('y'));
  const sent = a.settle();
  expect(appendsTo('b', sent)).toMatchObject([{ commit: 2 }]);
  expect(only('heartbeat', sent)).toEqual([]);
});

test('a follower that has everything costs only heartbeats', () => {
  const a = settledLeader();
  for (let heartbeats = 1; heartbeats <= 20; heartbeats += 1) {
    a.tick(2);
    expect(a.settle().map((sent) => sent.kind)).toEqual(['heartbeat', 'heartbeat']);
    answerHeartbeat(a, 'b');
    answerHeartbeat(a, 'c');
  }
});

test('the in-flight window is limited in appends and in bytes', () => {
  const byCount = settledLeader({ config: { maxInflightAppends: 3, maxAppendBytes: 1 } });
  for (let at = 0; at < 5; at += 1) byCount.core.propose(command('x'));
  expect(appendsTo('b', byCount.settle())).toHaveLength(3);
  expect(byCount.status.followers.get('b')?.inflight).toBe(3);
  accept(byCount, 'b', 3);
  expect(appendsTo('b', byCount.settle())).toHaveLength(2);

  const entryBytes = headerBytes + 10;
  const byBytes = settledLeader({ config: { maxInflightBytes: 2 * entryBytes, maxAppendBytes: 1 } });
  for (let at = 0; at < 5; at += 1) byBytes.core.propose(new Uint8Array(10));
  expect(appendsTo('b', byBytes.settle())).toHaveLength(2);
});

test('an append holds at most maxAppendBytes, and one entry in any case', () => {
  const a = settledLeader({ config: { maxAppendBytes: 2 * (headerBytes + 1) } });
  for (let at = 0; at < 5; at += 1) a.core.propose(command('x'));
  a.core.propose(new Uint8Array(100));
  const sizes = appendsTo('b', a.settle()).map((append) => append.entries.length);
  expect(sizes).toEqual([2, 2, 1, 1]);
});

test('when everything in flight was lost, an answered heartbeat leads to a new probe', () => {
  const a = settledLeader();
  a.core.propose(command('x'));
  a.settle();
  for (let ticks = 0; ticks < 9; ticks += 1) a.tick();
  a.settle();
  answerHeartbeat(a, 'b');
  expect(appendsTo('b', a.settle())).toEqual([]);
  a.tick();
  answerHeartbeat(a, 'b');
  expect(appendsTo('b', a.settle())).toMatchObject([{ previousIndex: 1, entries: [{ index: 2 }] }]);
});

test('probing never stalls, and repeats more and more rarely', () => {
  const a = leader();
  const probedAt: number[] = [];
  for (let tick = 1; tick <= 200; tick += 1) {
    a.tick();
    answerHeartbeat(a, 'b');
    if (appendsTo('b', a.settle()).length > 0) probedAt.push(tick);
  }
  expect(probedAt).toEqual([4, 12, 28, 60, 124]);
});

test('a broken connection, or a process that was replaced, is probed at once', () => {
  for (const news of ['peerReset', 'peerDown'] as const) {
    const a = settledLeader();
    a.core.propose(command('x'));
    a.settle();
    a.core[news]('b');
    expect(appendsTo('b', a.settle())).toMatchObject([{ previousIndex: 1, entries: [{ index: 2 }] }]);
    expect(a.status.followers.get('b')?.inflight).toBe(0);
  }
});

test('a refusal of a lost append leads back to what is proven, once', () => {
  const a = settledLeader({ config: { maxAppendBytes: 1 } });
  for (const text of ['x', 'y', 'z']) a.core.propose(command(text));
  a.settle(); // 2 is lost, so 3 and 4 are refused
  reject(a, 'b', 2, 1, 1);
  reject(a, 'b', 3, 1, 1);
  expect(appendsTo('b', a.settle())).toMatchObject([{ previousIndex: 1, entries: [{ index: 2 }] }]);
});

test('a late refusal never rewinds below what is proven, nor stops the flow', () => {
  const a = settledLeader({ config: { maxAppendBytes: 1 } });
  reject(a, 'b', 1, 0, 0);
  a.core.propose(command('x'));
  a.core.propose(command('y'));
  expect(appendsTo('b', a.settle())).toMatchObject([{ previousIndex: 1 }, { previousIndex: 2 }]);
  expect(a.status.followers.get('b')?.match).toBe(1);
});

test('a refusal that arrives twice is answered with one probe', () => {
  const a = leader({ log: [1, 1, 1] });
  reject(a, 'b', 3, 2, 1);
  reject(a, 'b', 3, 2, 1);
  expect(appendsTo('b', a.settle())).toMatchObject([{ previousIndex: 2 }]);
  reject(a, 'b', 3, 2, 1);
  expect(appendsTo('b', a.settle())).toEqual([]);
});

test('a late acknowledgement never passes what was sent in this term, and an earlier term counts for nothing', () => {
  const a = leader({ log: [1, 1, 1], term: 4 });
  accept(a, 'b', 99);
  accept(a, 'b', 4, 4);
  expect(a.status.followers.get('b')?.match).toBe(0);
  accept(a, 'b', 4);
  accept(a, 'b', 2);
  expect(a.status.followers.get('b')?.match).toBe(4);
});

test('a diverged follower is found in one round a term', () => {
  // The follower holds 1 1 1, then sixty entries of term 2; the leader 1 1 1, sixty of term 3, and its own.
  const a = leader({ log: [1, 1, 1, ...Array.from({ length: 60 }, () => 3)], term: 3 });
  reject(a, 'b', 63, 63, 2);
  expect(appendsTo('b', a.settle())).toMatchObject([{ previousIndex: 3, previousTerm: 1 }]);
});

test('proposals are refused while too much is uncommitted; one is always taken when nothing is', () => {
  const a = settledLeader({ config: { maxUncommittedBytes: 10 } });
  expect(a.core.propose(new Uint8Array(50)).kind).toBe('appended');
  expect(a.core.propose(new Uint8Array(1))).toEqual({ kind: 'refused', reason: 'tooManyUncommitted' });
  expect(a.status.uncommittedBytes).toBe(50);
  a.settle();
  accept(a, 'b', 2);
  expect(a.status.uncommittedBytes).toBe(0);
  expect(a.core.propose(new Uint8Array(6)).kind).toBe('appended');
  expect(a.core.propose(new Uint8Array(4)).kind).toBe('appended');
  expect(a.core.propose(new Uint8Array(1)).kind).toBe('refused');
});

test('nobody but a leader takes proposals, and a leader that stops takes none', () => {
  expect(candidate().core.propose(command('x'))).toEqual({ kind: 'refused', reason: 'notLeader' });
  const a = settledLeader();
  a.core.stop();
  expect(a.core.propose(command('x'))).toEqual({ kind: 'refused', reason: 'stopping' });
  expect(a.status.role).toBe('leader');
});

test('a second leader in the same term stops the node', () => {
  const a = leader();
  expect(() => a.core.step(message('b', 'a', { kind: 'heartbeat', term: 1, commit: 0, round: 0 }))).toThrow(
    'cannot reach a leader',
  );
});

test("the follower's applied index is kept for back-pressure", () => {
  const a = settledLeader();
  a.core.step(message('b', 'a', { kind: 'heartbeatResponse', term: 1, applied: 1, round: 0 }));
  expect(a.status.followers.get('b')).toMatchObject({ match: 1, applied: 1 });
});
