import { expect, test } from 'vitest';
import { command } from '../../../test/core/harness.ts';
import {
  accept,
  answerHeartbeat,
  candidate,
  follower,
  leader,
  member,
  message,
  only,
  settledLeader,
} from '../../../test/core/roles.ts';
import { maxWaitingReads } from '../bounds.ts';

const ready = (context: number, index: number) => ({ context, kind: 'ready', index });
const failed = (context: number) => ({ context, kind: 'failed' });

test('a leader answers once a majority has answered a heartbeat that left after the question', () => {
  const a = settledLeader();
  a.tick(2);
  a.settle(); // this heartbeat left before
  a.core.readIndex(7);
  expect(a.settle()).toMatchObject([
    { kind: 'heartbeat', to: 'b', round: 1 },
    { kind: 'heartbeat', to: 'c', round: 1 },
  ]);
  answerHeartbeat(a, 'b', 0);
  a.settle();
  expect(a.reads).toEqual([]);
  answerHeartbeat(a, 'b', 1);
  a.settle();
  expect(a.reads).toEqual([ready(7, 1)]);
  answerHeartbeat(a, 'c', 1);
  a.settle();
  expect(a.reads).toHaveLength(1);
});

test('the index is that of the beginning of the round, and a read waits for no later one', () => {
  const a = settledLeader();
  a.core.readIndex(7);
  a.settle();
  a.core.propose(command('x'));
  a.settle();
  accept(a, 'b', 2);
  expect(a.status.commit).toBe(2);
  answerHeartbeat(a, 'b', 1);
  a.settle();
  expect(a.reads).toEqual([ready(7, 1)]);
});

test('what is asked for during a round goes with the next one, all together', () => {
  const a = settledLeader();
  a.core.readIndex(1);
  a.settle();
  for (const context of [2, 3, 4]) a.core.readIndex(context);
  expect(a.settle()).toEqual([]);
  answerHeartbeat(a, 'c', 1);
  expect(only('heartbeat', a.settle())).toMatchObject([{ round: 2 }, { round: 2 }]);
  expect(a.reads).toEqual([ready(1, 1)]);
  answerHeartbeat(a, 'c', 2);
  a.settle();
  expect(a.reads.slice(1)).toEqual([ready(2, 1), ready(3, 1), ready(4, 1)]);
  expect(a.status.waitingReads).toBe(0);
});

test('a round that was lost goes out again with the next heartbeat', () => {
  const a = settledLeader();
  a.core.readIndex(1);
  a.settle();
  a.tick(2);
  expect(only('heartbeat', a.settle())).toMatchObject([{ round: 1 }, { round: 1 }]);
});

test('before an entry of its own term is committed a leader answers nothing', () => {
  const a = leader({ log: [1, 1] });
  a.core.readIndex(7);
  expect(only('heartbeat', a.settle())).toEqual([]);
  answerHeartbeat(a, 'b', 1);
  a.settle();
  expect(a.reads).toEqual([]);
  accept(a, 'b', 3);
  expect(only('heartbeat', a.settle()).map((sent) => sent.round)).toContain(1);
  answerHeartbeat(a, 'b', 1);
  a.settle();
  expect(a.reads).toEqual([ready(7, 3)]);
});

test('a cluster of one answers at once', () => {
  const a = member('a', { voters: ['a'] });
  a.tick();
  a.settle();
  a.core.readIndex(7);
  a.settle();
  expect(a.reads).toEqual([ready(7, 1)]);
});

test('a follower asks its leader, for all that wait with one message, and again while it is not answered', () => {
  const b = follower({ log: [1] });
  for (const context of [1, 2, 3]) b.core.readIndex(context);
  const [asked] = only('readRequest', b.settle());
  expect(asked).toMatchObject({ to: 'a', term: 1 });
  b.core.readIndex(4);
  expect(b.settle()).toEqual([]);
  b.tick(4);
  expect(b.settle()).toEqual([asked]);
  const answer = { kind: 'readResponse', term: 1, context: asked?.context ?? -1, granted: true, index: 5 } as const;
  b.core.step(message('a', 'b', { ...answer, context: answer.context + 1 }));
  b.core.step(message('c', 'b', answer));
  expect(b.settle()).toEqual([]);
  b.core.step(message('a', 'b', answer));
  b.core.step(message('a', 'b', answer));
  const [again] = only('readRequest', b.settle());
  expect(again?.context).not.toBe(asked?.context);
  expect(b.reads).toEqual([ready(1, 5), ready(2, 5), ready(3, 5)]);
});

test("a leader answers a follower's question under the same rules", () => {
  const a = settledLeader();
  a.core.step(message('b', 'a', { kind: 'readRequest', term: 1, context: 70 }));
  a.settle();
  a.core.step(message('b', 'a', { kind: 'readRequest', term: 1, context: 70 })); // again
  expect(a.settle()).toEqual([]);
  answerHeartbeat(a, 'c', 1);
  expect(a.settle()).toMatchObject([{ kind: 'readResponse', to: 'b', context: 70, granted: true, index: 1 }]);
});

test('one that leads no more, or hands over, refuses', () => {
  const b = follower();
  b.core.step(message('c', 'b', { kind: 'readRequest', term: 1, context: 70 }));
  expect(b.settle()).toMatchObject([{ kind: 'readResponse', to: 'c', context: 70, granted: false }]);

  const a = settledLeader();
  a.core.readIndex(1);
  a.settle();
  a.core.transferLeadership('b');
  a.core.step(message('c', 'a', { kind: 'readRequest', term: 1, context: 70 }));
  answerHeartbeat(a, 'b', 1);
  expect(only('readResponse', a.settle())).toMatchObject([{ to: 'c', granted: false }]);
  expect(a.reads).toEqual([failed(1)]);

  const asking = follower();
  asking.core.readIndex(1);
  const context = only('readRequest', asking.settle())[0]?.context ?? -1;
  asking.core.step(message('a', 'b', { kind: 'readResponse', term: 1, context, granted: false, index: 0 }));
  asking.settle();
  expect(asking.reads).toEqual([failed(1)]);
});

test('a read fails with the leader that was asked, and at once when there is none', () => {
  const without = member('b');
  without.core.readIndex(1);
  without.settle();
  expect(without.reads).toEqual([failed(1)]);
  const standing = candidate();
  standing.core.readIndex(1);
  standing.settle();
  expect(standing.reads).toEqual([failed(1)]);

  const b = follower();
  b.core.readIndex(1);
  b.settle();
  b.core.step(message('c', 'b', { kind: 'heartbeat', term: 2, commit: 0, round: 0 }));
  b.settle();
  expect(b.reads).toEqual([failed(1)]);

  const a = settledLeader();
  a.core.readIndex(1);
  a.tick(20); // its quorum is lost
  a.settle();
  expect(a.status.role).toBe('follower');
  expect(a.reads).toEqual([failed(1)]);
});

test('an answer of an earlier term is none', () => {
  const a = settledLeader();
  a.core.readIndex(1);
  a.settle();
  a.core.step(message('b', 'a', { kind: 'heartbeatResponse', term: 0, applied: 0, round: 1 }));
  a.settle();
  expect(a.reads).toEqual([]);
});

test('a read that is not answered for two election timeouts has failed, and those behind it still wait', () => {
  const b = follower();
  b.core.readIndex(1);
  b.settle();
  for (let ticks = 0; ticks < 39; ticks += 1) {
    b.tick();
    b.core.step(message('a', 'b', { kind: 'heartbeat', term: 1, commit: 0, round: 0 }));
    if (ticks === 20) b.core.readIndex(2);
  }
  b.settle();
  expect(b.reads).toEqual([]);
  b.tick();
  const sent = only('readRequest', b.settle());
  expect(b.reads).toEqual([failed(1)]);
  expect(sent).toHaveLength(1);
  expect(b.status.waitingReads).toBe(1);
});

test('what would be too many fails at once', () => {
  const b = follower();
  for (let context = 0; context <= maxWaitingReads; context += 1) b.core.readIndex(context);
  b.turn();
  expect(b.reads).toEqual([failed(maxWaitingReads)]);
  expect(b.status.waitingReads).toBe(maxWaitingReads);
});
