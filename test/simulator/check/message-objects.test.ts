// From what the simulator's clients write down to operations on messages: nothing that was seen may get lost on the way.
import { expect, test } from 'vitest';
import { judgeAll } from '../../linearizable/objects.ts';
import { emptyHistory, type History } from '../work/history.ts';
import { keyObjects, messageObjects } from './message-objects.ts';

type Told = Partial<{ -readonly [K in keyof History]: History[K] }>;

const scheduled = {
  tag: 'm1',
  topic: 't1',
  dueMs: 1_000,
  delayed: false,
  invokedMs: 100,
  endedMs: 110,
  outcome: 'stored' as const,
  id: 'id1',
  deliverAtMs: 1_000,
};
const delivered = {
  tag: 'm1',
  topic: 't1',
  group: 'g1',
  consumer: 'c1',
  receiveId: 'aa',
  id: 'id1',
  receipt: 'r1',
  token: 5,
  attempt: 1,
  leasedUntilMs: 3_000,
  invokedMs: 900,
  atMs: 1_010,
};
const nacked = {
  verb: 'nack' as const,
  receipt: 'r1',
  invokedMs: 1_020,
  endedMs: 1_030,
  result: 'ok' as const,
  leasedUntilMs: undefined,
};
const again = {
  ...delivered,
  token: 8,
  receipt: 'r2',
  attempt: 2,
  leasedUntilMs: 3_100,
  invokedMs: 1_040,
  atMs: 1_110,
};
const cancelled = { tag: 'm1', id: 'id1', invokedMs: 1_040, endedMs: 1_050, verdict: 'leased', leasedUntilMs: 3_000 };

function faultsOf(told: Told, { undisturbed = true } = {}): readonly string[] {
  const history = { ...emptyHistory(), scheduled: new Map([['m1', scheduled]]), groups: new Set(['t1/g1']), ...told };
  const surroundings = { history, skewMs: 0, clockLagMs: 60, undisturbed };
  return judgeAll([...messageObjects(surroundings), ...keyObjects(history)]).faults;
}

test('a life that was told truly has no fault', () => {
  const looked = [
    {
      tag: 'm1',
      invokedMs: 1_015,
      endedMs: 1_018,
      state: 'outstanding',
      groups: [{ group: 'g1', state: 'leased', attempts: 1 }],
    },
  ];
  const told = { delivered: [delivered, { ...delivered, atMs: 1_012 }, again], settled: [nacked], looked };
  expect(faultsOf(told)).toEqual([]);
});

test('a lease whose first answer was lost may have been shorter then, and one that was told of at once may not', () => {
  const shorter = { ...cancelled, leasedUntilMs: 2_400 };
  const late = { ...delivered, atMs: 2_000, leasedUntilMs: 3_400 };
  expect(faultsOf({ delivered: [late], cancelled: [shorter] })).toEqual([]);
  expect(faultsOf({ delivered: [delivered], cancelled: [shorter] })).not.toEqual([]);
});

test.each<readonly [what: string, told: Told, says: string]>([
  [
    'a schedule that was refused',
    { scheduled: new Map([['m1', { ...scheduled, outcome: 'refused' }]]), delivered: [delivered] },
    'the message is not there',
  ],
  ['a second lease without a nack', { delivered: [delivered, again] }, 'g1 has it leased with token 5 until 3000'],
  [
    'a nack that was refused',
    { delivered: [delivered, again], settled: [{ ...nacked, result: 'refused' }] },
    'g1 has it leased',
  ],
  ['a verdict that nothing explains', { cancelled: [cancelled] }, 'the message is cancelled'],
  [
    'a lease of another length',
    { delivered: [delivered], cancelled: [{ ...cancelled, leasedUntilMs: 2_900 }] },
    'the message is leased until 3000',
  ],
  [
    'two answers to one key',
    { keyed: [1, 2].map((n) => ({ key: 'k', answer: `${n}`, invokedMs: 0, endedMs: 1 })) },
    'the first answer was 1',
  ],
  [
    'a group that came too late',
    {
      delivered: [{ ...delivered, group: 'passing' }],
      groupChanges: [{ kind: 'createGroup', topic: 't1', group: 'passing', invokedMs: 1_020, endedMs: 1_030 }],
    },
    'there is no group passing',
  ],
])('found: %s', (_, told, says) => {
  expect(faultsOf(told)).toEqual([expect.stringContaining(says)]);
});

test('a nack without an answer, or one that may have been sent twice, explains the second lease', () => {
  expect(faultsOf({ delivered: [delivered, again], settled: [{ ...nacked, result: 'unknown' }] })).toEqual([]);
  const late = { ...nacked, invokedMs: 1_015, endedMs: 1_200, result: 'receiptNotCurrent' as const };
  expect(faultsOf({ delivered: [delivered, again], settled: [late] })).toHaveLength(1);
  expect(faultsOf({ delivered: [delivered, again], settled: [late] }, { undisturbed: false })).toEqual([]);
});

test('where answers were lost, somebody may have had a lease that nobody knows of', () => {
  const told = { cancelled: [{ ...cancelled, leasedUntilMs: 2_777 }] };
  expect(faultsOf(told)).toHaveLength(1);
  expect(faultsOf(told, { undisturbed: false })).toEqual([]);
});

test('a receive that is repeated late extends its lease, and what comes after it sees that', () => {
  const repeated = { ...delivered, invokedMs: 2_900, atMs: 2_950, leasedUntilMs: 4_900 };
  const seen = { ...cancelled, invokedMs: 3_400, endedMs: 3_410, leasedUntilMs: 4_900 };
  const acked = { ...nacked, verb: 'ack' as const, invokedMs: 3_500, endedMs: 3_510 };
  const told = { delivered: [delivered, repeated], cancelled: [seen], settled: [acked] };
  expect(faultsOf(told)).toEqual([]);
  expect(faultsOf({ ...told, delivered: [delivered] })).toHaveLength(1);
});

test('a receive whose wait was over explains a lease that was given back, and nothing else does where no answer is lost', () => {
  const looked = [
    {
      tag: 'm1',
      invokedMs: 1_006,
      endedMs: 1_009,
      state: 'outstanding',
      groups: [{ group: 'g1', state: 'retry', attempts: 0 }],
    },
  ];
  const told = { delivered: [delivered], looked };
  const over = (endedMs: number): Told => ({ ...told, emptyReceives: [{ topic: 't1', endedMs }] });
  expect(faultsOf(over(1_005))).toEqual([]);
  for (const fault of [told, over(990), over(1_100)]) expect(faultsOf(fault)).toHaveLength(1);
});

test('a stale get is found', () => {
  const told = {
    cancelled: [{ ...cancelled, invokedMs: 200, endedMs: 210, verdict: 'cancelled', leasedUntilMs: undefined }],
    looked: [
      {
        tag: 'm1',
        invokedMs: 300,
        endedMs: 310,
        state: 'waiting',
        groups: [{ group: 'g1', state: 'waiting', attempts: 0 }],
      },
    ],
  };
  expect(faultsOf(told)).toEqual([expect.stringContaining('the message is cancelled')]);
});
