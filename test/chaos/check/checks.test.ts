// A check that cannot fail is none: each of them refuses a history that differs from a good one by one fact.
import { expect, test } from 'vitest';
import type { HistoryEvent } from '../history.ts';
import { checks } from './checks.ts';

const received = (
  token: number,
  atMs: number,
  more: Partial<Extract<HistoryEvent, { kind: 'received' }>> = {},
): HistoryEvent => ({
  kind: 'received',
  group: 'g',
  number: 1,
  id: 'm1',
  token,
  attempt: token,
  invokedMs: atMs - 10,
  atMs,
  leasedUntilMs: atMs + 4_000,
  leaseMs: 4_000,
  receiveId: `r${token}`,
  ...more,
});
const settled = (how: 'ack' | 'nack', token: number, atMs: number): readonly HistoryEvent[] => [
  { kind: 'settleInvoked', how, group: 'g', id: 'm1', token, atMs },
  { kind: 'settleEnded', how, group: 'g', id: 'm1', token, atMs: atMs + 1, result: 'ok', sent: 1 },
];
const scheduled: readonly HistoryEvent[] = [
  { kind: 'scheduleInvoked', number: 1, atMs: 0, dueMs: 1_000 },
  { kind: 'scheduleEnded', number: 1, atMs: 5, outcome: 'ok', id: 'm1', deliverAtMs: 1_000 },
];
const final: HistoryEvent = {
  kind: 'final',
  atMs: 20_000,
  stateHashes: ['a', 'a', 'a'],
  groups: [{ group: 'g', acknowledged: 1, outstanding: 0, dead: 0 }],
  scheduled: 1,
  cancelled: 0,
  stopped: 0,
};
const good: readonly HistoryEvent[] = [
  ...scheduled,
  received(1, 1_001),
  ...settled('nack', 1, 1_100),
  received(2, 1_200),
  received(2, 1_210),
  ...settled('ack', 2, 1_300),
  final,
];

test('a good history passes every check, a nack, a repeated receive and an expired lease among it', () => {
  for (const [name, check] of Object.entries(checks)) expect(check(good), name).toEqual([]);
  const expired = [...scheduled, received(1, 1_001), received(2, 5_002), ...settled('ack', 2, 5_100), final];
  for (const [name, check] of Object.entries(checks)) expect(check(expired), name).toEqual([]);
});

const bad: Readonly<Record<string, readonly HistoryEvent[]>> = {
  lost: [...scheduled, final],
  unexpected: [...good, received(9, 1_500, { number: 7, id: 'm7' })],
  early: [...scheduled, received(1, 999), ...settled('ack', 1, 1_300), final],
  'later than faults explain': [...scheduled, received(1, 61_001), ...settled('ack', 1, 61_100), final],
  'delivered after a definite end': [...good, received(3, 1_400)],
  'leases that overlap in the order of the log': [
    ...scheduled,
    received(1, 1_001),
    received(2, 3_000),
    ...settled('ack', 2, 3_300),
    final,
  ],
  'one lease given to two receives': [
    ...scheduled,
    received(1, 1_001),
    received(1, 1_002, { receiveId: 'other' }),
    ...settled('ack', 1, 1_300),
    final,
  ],
  'repeats not explained by a lease that ended': [
    ...scheduled,
    received(1, 1_001),
    received(2, 3_000),
    ...settled('ack', 2, 3_300),
    final,
  ],
  'without an order in which it could have happened': [
    ...good.slice(0, -1),
    { kind: 'cancelInvoked', id: 'm1', key: 'k', atMs: 1_500 },
    { kind: 'cancelEnded', id: 'm1', key: 'k', atMs: 1_510, verdict: 'leased', leasedUntilMs: 5_200 },
    final,
  ],
  'counts that do not add up': [...good.slice(0, -1), { ...final, stateHashes: ['a', 'b', 'a'] }],
  'nodes that failed by themselves': [...good, { kind: 'ownFault', atMs: 1_500, what: 'n1 ended by itself (SIGABRT)' }],
};

test.each(Object.keys(checks))('%s: found', (name) => {
  expect(checks[name]?.(bad[name] ?? []).length).toBeGreaterThan(0);
});

test.each([
  ['cancelled, then delivered', [{ kind: 'cancelEnded', id: 'm1', key: 'k', atMs: 10, verdict: 'cancelled' } as const]],
  [
    'stopped, then asked for and delivered',
    [{ kind: 'cancelEnded', id: 'm1', key: 'k', atMs: 1_150, verdict: 'stopped' } as const],
  ],
])('%s is found', (_, events) => {
  expect(checks['delivered after a definite end']?.([...good, ...events]).length).toBeGreaterThan(0);
});

test('a message that nobody scheduled twice but a group counted short is found', () => {
  const short = { ...final, groups: [{ group: 'g', acknowledged: 0, outstanding: 0, dead: 0 }] } as HistoryEvent;
  expect(checks['counts that do not add up']?.([...good.slice(0, -1), short]).length).toBeGreaterThan(0);
});

test.each<[string, readonly HistoryEvent[]]>([
  ['nobody said at the end', [...good.slice(0, -1), { ...final, groups: [], scheduled: Number.NaN }]],
  ['are of a run in which nothing was ever stored', [{ ...final, scheduled: 0 }]],
])('counts that %s do not pass for counts that add up', (_, history) => {
  expect(checks['counts that do not add up']?.(history)).toHaveLength(1);
});
