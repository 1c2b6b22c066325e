// From what a chaos run writes down to operations on messages.
import { expect, test } from 'vitest';
import { judgeAll } from '../../linearizable/objects.ts';
import type { HistoryEvent } from '../history.ts';
import { messageObjects } from './message-objects.ts';

const scheduled: readonly HistoryEvent[] = [
  { kind: 'scheduleInvoked', number: 1, atMs: 0, dueMs: 1_000 },
  { kind: 'scheduleEnded', number: 1, atMs: 5, outcome: 'ok', id: 'm1', deliverAtMs: 1_000 },
];
const received = (token: number, attempt: number, atMs: number): HistoryEvent => ({
  kind: 'received',
  group: 'g',
  number: 1,
  id: 'm1',
  token,
  attempt,
  invokedMs: atMs - 10,
  atMs,
  leasedUntilMs: atMs + 4_000,
  leaseMs: 4_000,
  receiveId: `r${token}`,
});
const cancelInvoked = (key: string, atMs: number): HistoryEvent => ({ kind: 'cancelInvoked', id: 'm1', key, atMs });
const cancelEnded = (key: string, atMs: number, verdict: string): HistoryEvent => ({
  kind: 'cancelEnded',
  id: 'm1',
  key,
  atMs,
  verdict,
});
const nack = (sent: number, result: string): readonly HistoryEvent[] => [
  { kind: 'settleInvoked', how: 'nack', group: 'g', id: 'm1', token: 1, atMs: 1_020 },
  { kind: 'settleEnded', how: 'nack', group: 'g', id: 'm1', token: 1, atMs: 1_200, result, sent },
];
const looked = (atMs: number, state: string): HistoryEvent => ({
  kind: 'looked',
  id: 'm1',
  invokedMs: atMs,
  atMs: atMs + 5,
  state,
  groups: [],
});
const faultsOf = (events: readonly HistoryEvent[]): readonly string[] =>
  judgeAll(messageObjects([...scheduled, ...events])).faults;

test('overlapping cancels are told apart by their keys', () => {
  const both = [cancelInvoked('a', 10), cancelInvoked('b', 12), cancelEnded('b', 14, 'cancelled')];
  expect(faultsOf([...both, cancelEnded('a', 20, 'cancelled')])).toEqual([]);
  expect(faultsOf([...both, cancelEnded('a', 20, 'leased')])).toEqual([
    expect.stringContaining('cancel (key a) -> leased [10.0, 20.0]: the message is cancelled'),
  ]);
});

test('a cancel that never ended, or whose end says nothing, may have happened', () => {
  const later = [cancelInvoked('b', 30), cancelEnded('b', 40, 'cancelled'), cancelInvoked('c', 2_000)];
  expect(faultsOf([cancelInvoked('a', 10), ...later])).toEqual([]);
  expect(faultsOf([cancelInvoked('a', 10), cancelEnded('a', 20, 'HF_TOPIC_NOT_FOUND'), ...later])).toEqual([]);
  expect(faultsOf([...later, received(1, 1, 1_010)])).toEqual([expect.stringContaining('the message is cancelled')]);
});

test('a nack that was sent twice may have happened before the one that was answered', () => {
  const twice = (sent: number) => [received(1, 1, 1_010), ...nack(sent, 'receiptNotCurrent'), received(2, 2, 1_150)];
  expect(faultsOf(twice(2))).toEqual([]);
  expect(faultsOf(twice(1))).toEqual([expect.stringContaining('g has it leased with token 1 until 5010')]);
});

test('a receive that is repeated late extends its lease, and what comes after it sees that', () => {
  const after: readonly HistoryEvent[] = [
    cancelInvoked('a', 5_050),
    { kind: 'cancelEnded', id: 'm1', key: 'a', atMs: 5_100, verdict: 'leased', leasedUntilMs: 8_900 },
    { kind: 'settleInvoked', how: 'ack', group: 'g', id: 'm1', token: 1, atMs: 5_200 },
    { kind: 'settleEnded', how: 'ack', group: 'g', id: 'm1', token: 1, atMs: 5_210, result: 'ok', sent: 1 },
  ];
  expect(faultsOf([received(1, 1, 1_010), received(1, 1, 4_900), ...after])).toEqual([]);
  expect(faultsOf([received(1, 1, 1_010), ...after])).toHaveLength(1);
});

test('a schedule without an end explains a delivery, one that was refused does not', () => {
  const [invoked, ended] = scheduled;
  if (invoked === undefined || ended?.kind !== 'scheduleEnded') throw new Error('the story changed');
  const first = received(1, 1, 1_010);
  expect(judgeAll(messageObjects([invoked, first])).faults).toEqual([]);
  const refused: HistoryEvent = { kind: 'scheduleEnded', number: 1, atMs: 5, outcome: 'failed' };
  expect(judgeAll(messageObjects([invoked, refused, first])).faults).toEqual([
    expect.stringContaining('the message is not there'),
  ]);
});

test('a stale get is found', () => {
  const events = [cancelInvoked('a', 10), cancelEnded('a', 20, 'cancelled'), looked(30, 'waiting')];
  expect(faultsOf(events)).toEqual([expect.stringContaining('the message is cancelled')]);
});
