// The specification of a message: what must be accepted, and what must be refused, each for its reason.
import { expect, test } from 'vitest';
import { type MessageAnswer, type MessageCall, mayBeToldLate, messageSpecification } from './message.ts';
import type { MessageWorld } from './message-state.ts';
import type { Operation } from './operation.ts';
import { judge } from './search.ts';

type Op = Operation<MessageCall, MessageAnswer>;
const world: MessageWorld = {
  groups: ['g'],
  dueMs: 1_000,
  skewMs: 0,
  maxAttempts: 2,
  lostLeases: 'none',
  attemptsSeen: 5,
};
const between = (invokedMs: number, endedMs: number, op: Pick<Op, 'call' | 'outcome'>): Op => ({
  ...op,
  invokedMs,
  endedMs,
});
const ok = (call: MessageCall, answer: MessageAnswer): Pick<Op, 'call' | 'outcome'> => ({
  call,
  outcome: { kind: 'ok', answer },
});
const unknown = (call: MessageCall): Pick<Op, 'call' | 'outcome'> => ({ call, outcome: { kind: 'unknown' } });

const scheduled = between(0, 10, ok({ kind: 'schedule' }, { of: 'done' }));
const cancel = (kind: string, more: { leasedUntilMs?: number; attempts?: number; key?: string } = {}) => {
  const { key, ...rest } = more;
  return ok({ kind: 'cancel', key }, { of: 'cancel', verdict: { kind, ...rest } });
};
const lease = (token: number, untilMs: number, attempt = 1, group = 'g') =>
  ok({ kind: 'lease', group }, { of: 'lease', lease: { token, attempt, untilMs } });
const settle = (kind: 'ack' | 'nack' | 'extend', token: number, result: string, untilMs?: number) =>
  ok({ kind, group: 'g', token }, { of: 'settle', settled: { result, untilMs } });
const get = (state: string, line?: string, attempts = 0) =>
  ok(
    { kind: 'get' },
    { of: 'get', seen: { state, groups: line === undefined ? [] : [{ group: 'g', state: line, attempts }] } },
  );
const leased = between(1_000, 1_010, lease(5, 1_500));
const judged = (history: readonly Op[], change: Partial<MessageWorld> = {}) =>
  judge(messageSpecification({ ...world, ...change }), [scheduled, ...history]);

/** Until when the lease ran, nobody was told: neither by the extension nor by the cancel; then it was given back. */
const askedUnheard: readonly Op[] = [
  leased,
  between(1_020, 0, unknown({ kind: 'extend', group: 'g', token: 5 })),
  between(1_040, 0, unknown({ kind: 'cancel', key: 'k' })),
  between(1_060, 1_070, settle('nack', 5, 'ok')),
];

const good: readonly [string, readonly Op[], Partial<MessageWorld>?][] = [
  [
    'a life: waiting, leased, extended, given back, leased, acknowledged',
    [
      between(20, 30, get('waiting', 'waiting')),
      leased,
      between(1_020, 1_030, get('outstanding', 'leased', 1)),
      between(1_040, 1_050, settle('extend', 5, 'ok', 1_540)),
      between(1_060, 1_070, cancel('leased', { leasedUntilMs: 1_540 })),
      between(1_100, 1_110, settle('nack', 5, 'ok')),
      between(1_120, 1_130, get('outstanding', 'retry', 1)),
      between(1_200, 1_210, lease(8, 1_700, 2)),
      between(1_210, 1_220, settle('ack', 5, 'receiptNotCurrent')),
      between(1_220, 1_230, settle('ack', 8, 'ok')),
      between(1_240, 1_250, settle('ack', 8, 'ok')),
      between(1_260, 1_270, cancel('delivered')),
      between(1_280, 1_290, get('delivered')),
    ],
  ],
  [
    'a cancel and its first verdict again',
    [between(20, 30, cancel('cancelled')), between(40, 50, cancel('cancelled'))],
  ],
  ['a lease that ran out, then stopped', [leased, between(1_490, 1_510, cancel('stopped', { attempts: 1 }))]],
  ['an ack that came late, and the lease was not released', [leased, between(1_900, 1_910, settle('ack', 5, 'ok'))]],
  [
    'a repeated nack',
    [leased, between(1_100, 1_110, settle('nack', 5, 'ok')), between(1_120, 1_130, settle('nack', 5, 'ok'))],
  ],
  [
    'used up: dead, and stopped',
    [
      leased,
      between(1_100, 1_110, settle('nack', 5, 'ok')),
      between(1_200, 1_210, lease(8, 1_700, 2)),
      between(1_300, 1_310, settle('nack', 8, 'ok')),
      between(1_320, 1_330, get('outstanding', 'dead', 2)),
      between(1_340, 1_350, cancel('stopped', { attempts: 2 })),
    ],
  ],
  [
    'a cancel without an answer explains that nothing comes',
    [between(20, 0, unknown({ kind: 'cancel' })), between(40, 50, cancel('cancelled'))],
  ],
  [
    'the first answer to a key, whatever came after',
    [
      leased,
      between(1_020, 1_030, cancel('leased', { key: 'k', leasedUntilMs: 1_500 })),
      between(1_040, 1_050, settle('ack', 5, 'ok')),
      between(1_060, 1_070, cancel('leased', { key: 'k', leasedUntilMs: 1_500 })),
      between(1_080, 1_090, cancel('delivered', { key: 'other' })),
    ],
  ],
  [
    'leased to somebody who never heard of it',
    [between(1_010, 1_020, cancel('leased', { leasedUntilMs: 1_515 }))],
    { lostLeases: 'any' },
  ],
  [
    'given back unheard: no attempt counts',
    [between(1_010, 1_020, cancel('stopped', { attempts: 0 }))],
    { lostLeases: 'givenBack' },
  ],
  ['run out unheard', [between(1_010, 1_020, cancel('stopped', { attempts: 1 }))], { lostLeases: 'any' }],
  [
    'a nack without an answer frees it',
    [
      leased,
      between(1_020, 0, unknown({ kind: 'nack', group: 'g', token: 5 })),
      between(1_100, 1_110, lease(8, 1_700, 2)),
    ],
  ],
  [
    'an extension without an answer',
    [
      leased,
      between(1_020, 0, unknown({ kind: 'extend', group: 'g', token: 5 })),
      between(1_100, 1_110, cancel('leased', { leasedUntilMs: 1_590 })),
    ],
  ],
  [
    'the first answer to a key, lost, after an extension without an answer',
    [...askedUnheard, between(1_100, 1_110, cancel('leased', { key: 'k', leasedUntilMs: 1_590 }))],
  ],
  [
    'a group that is deleted counts no longer',
    [
      between(20, 30, ok({ kind: 'createGroup', group: 'h' }, { of: 'done' })),
      between(1_000, 1_010, lease(4, 1_500, 1, 'h')),
      between(1_020, 1_030, ok({ kind: 'deleteGroup', group: 'h' }, { of: 'done' })),
      between(1_040, 1_050, cancel('cancelled')),
    ],
  ],
  ['a clock that is ahead by what is allowed', [between(960, 970, lease(5, 1_500))], { skewMs: 40 }],
];

const keptByOne: readonly Op[] = [
  between(20, 30, ok({ kind: 'createGroup', group: 'h' }, { of: 'done' })),
  leased,
  between(1_020, 1_030, settle('ack', 5, 'ok')),
  between(1_040, 1_050, ok({ kind: 'deleteGroup', group: 'h' }, { of: 'done' })),
];

test('a message that only a deleted group kept is delivered, and stands until it is swept', () => {
  const seen = [between(1_060, 1_070, get('delivered', 'done')), between(1_080, 1_090, get('delivered'))];
  expect(judged([...keptByOne, ...seen])).toMatchObject({ kind: 'linearizable' });
  const back = between(1_100, 1_110, get('delivered', 'done'));
  expect(judged([...keptByOne, ...seen, back])).toMatchObject({
    kind: 'notLinearizable',
    reason: expect.stringContaining('get -> delivered, g done 0 [1100.0, 1110.0]: the message is delivered'),
  });
});

test.each(good)('accepted: %s', (_, history, change) => {
  expect(judged(history, change)).toMatchObject({ kind: 'linearizable' });
});

const bad: readonly [string, readonly Op[], string][] = [
  [
    'a stale get',
    [between(20, 30, cancel('cancelled')), between(40, 50, get('waiting', 'waiting'))],
    'get -> waiting, g waiting 0 [40.0, 50.0]: the message is cancelled',
  ],
  [
    'a lost cancel',
    [between(20, 30, cancel('cancelled')), between(1_000, 1_010, lease(5, 1_500))],
    'token 5, attempt 1, until 1500 [1000.0, 1010.0]: the message is cancelled',
  ],
  [
    'a lost ack',
    [leased, between(1_020, 1_030, settle('ack', 5, 'ok')), between(1_600, 1_610, lease(8, 2_000, 2))],
    'the message is delivered',
  ],
  [
    'a lost schedule',
    [between(20, 30, cancel('notFound'))],
    'cancel -> notFound [20.0, 30.0]: the message is cancelled',
  ],
  [
    'two first answers to one key',
    [between(20, 30, cancel('cancelled', { key: 'k' })), between(40, 50, cancel('stopped', { key: 'k', attempts: 1 }))],
    'the first answer to its key was cancelled',
  ],
  [
    'a repeated answer to a key that is earlier than the lease was',
    [...askedUnheard, between(1_100, 1_110, cancel('leased', { key: 'k', leasedUntilMs: 1_400 }))],
    'cancel (key k) -> leased until 1400 [1100.0, 1110.0]: the message is stopped after 1',
  ],
  [
    'two repeated answers to one key whose first answer was lost',
    [
      ...askedUnheard,
      between(1_100, 1_110, cancel('leased', { key: 'k', leasedUntilMs: 1_590 })),
      between(1_120, 1_130, cancel('leased', { key: 'k', leasedUntilMs: 1_595 })),
    ],
    'the first answer to its key was leased until 1590',
  ],
  [
    'a get that goes back',
    [
      between(1_000, 1_090, lease(5, 1_500)),
      between(1_020, 1_030, get('outstanding', 'leased', 1)),
      between(1_040, 1_050, get('waiting', 'waiting')),
    ],
    'get -> waiting, g waiting 0 [1040.0, 1050.0]: the message is outstanding, g leased 1',
  ],
  [
    'a cancel that succeeded twice, with two verdicts',
    [leased, between(1_600, 1_610, cancel('stopped', { attempts: 1 })), between(1_620, 1_630, cancel('cancelled'))],
    'cancel -> cancelled [1620.0, 1630.0]: the message is stopped after 1',
  ],
  [
    'delivered after it was stopped',
    [leased, between(1_600, 1_610, cancel('stopped', { attempts: 1 })), between(1_620, 1_630, lease(8, 2_000, 2))],
    'the message is stopped after 1',
  ],
  [
    'a lease while another one runs',
    [leased, between(1_100, 1_110, lease(8, 1_600, 2))],
    'g has it leased with token 5 until 1500',
  ],
  ['leased before it was due', [between(900, 999, lease(5, 1_500))], 'it is not due before 1000.0'],
  [
    'stopped while a lease ran',
    [leased, between(1_020, 1_030, cancel('stopped', { attempts: 1 }))],
    'the message is leased until 1500',
  ],
  ['leased, and nobody had it', [between(20, 30, cancel('leased', { leasedUntilMs: 90 }))], 'the message is cancelled'],
  [
    'delivered, and nobody acknowledged it',
    [leased, between(1_600, 1_610, cancel('delivered'))],
    'the message is leased until 1500',
  ],
  ['an attempt too many', [between(1_000, 1_010, lease(5, 1_500, 2))], 'attempt 0 came before it'],
  [
    'a token that falls',
    [leased, between(1_020, 1_030, settle('nack', 5, 'ok')), between(1_100, 1_110, lease(4, 1_600, 2))],
    'token 4 is not above 5',
  ],
  [
    'an old receipt that is taken',
    [leased, between(1_600, 1_610, lease(8, 2_100, 2)), between(1_620, 1_630, settle('ack', 5, 'ok'))],
    'it is receiptNotCurrent here',
  ],
  [
    'a current receipt that is refused',
    [leased, between(1_020, 1_030, settle('ack', 5, 'receiptNotCurrent'))],
    'it is ok here',
  ],
  [
    'an extension that shortens',
    [leased, between(1_020, 1_030, settle('extend', 5, 'ok', 1_400))],
    'it is ok until 1500 at least here',
  ],
  [
    'leased until another time than it was',
    [leased, between(1_020, 1_030, cancel('leased', { leasedUntilMs: 1_400 }))],
    'the message is leased until 1500',
  ],
  [
    'dead, and it came again',
    [
      leased,
      between(1_100, 1_110, settle('nack', 5, 'ok')),
      between(1_200, 1_210, lease(8, 1_700, 2)),
      between(1_300, 1_310, settle('nack', 8, 'ok')),
      between(1_400, 1_410, lease(9, 1_900, 3)),
    ],
    'g has it dead',
  ],
  ['scheduled twice', [between(20, 30, ok({ kind: 'schedule' }, { of: 'done' }))], 'it is scheduled already'],
];

test.each(bad)('refused, for its reason: %s', (_, history, reason) => {
  expect(judged(history)).toMatchObject({ kind: 'notLinearizable', reason: expect.stringContaining(reason) });
});

test('times may lie before the beginning of the history: clusters begin with whatever their clocks say', () => {
  const early: Partial<MessageWorld> = { dueMs: -9_000, skewMs: 0 };
  const history = [
    between(1_000, 1_010, lease(5, -5_000)),
    between(1_012, 1_013, cancel('leased', { key: 'k', leasedUntilMs: -5_000 })),
    between(1_014, 1_015, cancel('leased', { key: 'k', leasedUntilMs: -5_000 })),
  ];
  expect(judged(history, early)).toMatchObject({ kind: 'linearizable' });
});

test('a lease that nobody was told of runs out only where an answer may have been lost', () => {
  const ranOut = [between(1_010, 1_020, cancel('stopped', { attempts: 1 }))];
  for (const lostLeases of ['none', 'givenBack'] as const)
    expect(judged(ranOut, { lostLeases })).toMatchObject({ kind: 'notLinearizable' });
});

test('a schedule that was refused, and whose message came', () => {
  const refused: Op = { ...scheduled, outcome: { kind: 'failed' } };
  expect(judge(messageSpecification(world), [refused, leased])).toMatchObject({
    kind: 'notLinearizable',
    reason: expect.stringContaining('the message is not there'),
  });
});

test('a lease is told late from when half of it may have passed, by clocks that are wrong within the bound', () => {
  const lease = { invokedMs: 0, untilMs: 3_000 };
  expect(mayBeToldLate({ ...lease, endedMs: 1_000 }, 0)).toBe(true);
  expect(mayBeToldLate({ ...lease, endedMs: 960 }, 0)).toBe(false);
  expect(mayBeToldLate({ ...lease, endedMs: 960 }, 20)).toBe(true);
  expect(mayBeToldLate({ ...lease, endedMs: 950 }, 20)).toBe(false);
});
