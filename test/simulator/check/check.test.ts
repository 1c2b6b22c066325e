// Every check is seen to fail on a history that breaks its rule, and to be silent on one that keeps it.
import type { Change, Command, Verdict } from '@holdfast/store';
import { expect, test } from 'vitest';
import type { Cancelled, Delivered, Scheduled, Settled } from '../work/history.ts';
import { emptyHistory } from '../work/history.ts';
import type { Check, Evidence, LoggedEntry } from './evidence.ts';
import { checks, judge } from './index.ts';

const scheduled = (change: Partial<Scheduled> = {}): Scheduled => ({
  tag: 'm1',
  topic: 't1',
  dueMs: 1_000,
  delayed: false,
  invokedMs: 100,
  endedMs: 110,
  outcome: 'stored',
  id: 'id1',
  deliverAtMs: 1_000,
  ...change,
});
const delivered = (change: Partial<Delivered> = {}): Delivered => ({
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
  ...change,
});
const settled = (change: Partial<Settled> = {}): Settled => ({
  verb: 'ack',
  receipt: 'r1',
  invokedMs: 1_020,
  endedMs: 1_030,
  result: 'ok',
  leasedUntilMs: undefined,
  ...change,
});
const cancelled = (change: Partial<Cancelled> = {}): Cancelled => ({
  tag: 'm1',
  id: 'id1',
  invokedMs: 200,
  endedMs: 210,
  verdict: 'cancelled',
  ...change,
});

const position = { fireAtMs: 1_000, seq: 1 };
const here = { topic: 1, group: 1, position } as const;
const leased = (token: number, receive = 0xaa, at = position): Change => ({
  kind: 'leased',
  ...here,
  position: at,
  token,
  untilMs: 3_000,
  attempt: 1,
  receiveId: Uint8Array.of(receive),
});
const retried: Change = { kind: 'retry', ...here, retryAtMs: 3_100, retrySeq: 9 };
const acknowledged: Change = { kind: 'settled', ...here, how: 'acknowledged' };
const release = (token: number): Command => ({
  kind: 'release',
  topic: 1,
  group: 1,
  leases: [{ position, token, delayMs: 0 }],
});

function entry(
  index: number,
  changes: readonly Change[],
  command: Command = { kind: 'tick' },
  verdict: Verdict = { kind: 'ticked' },
  clockMs = 1_000 + index,
): LoggedEntry {
  return { index, term: 1, clockMs, commands: [{ command, verdict }], changes };
}

interface Story {
  readonly scheduled?: readonly Scheduled[];
  readonly delivered?: readonly Delivered[];
  readonly settled?: readonly Settled[];
  readonly cancelled?: readonly Cancelled[];
  readonly keyed?: Evidence['history']['keyed'];
  readonly log?: readonly LoggedEntry[];
  readonly patient?: boolean;
  readonly undisturbed?: boolean;
  readonly acksReach?: boolean;
  readonly counts?: Evidence['counts'];
  readonly mendedMs?: number;
  readonly clientLosses?: Evidence['clientLosses'];
}

function evidence(story: Story): Evidence {
  const history = emptyHistory();
  for (const record of story.scheduled ?? [scheduled()]) history.scheduled.set(record.tag, record);
  history.delivered.push(...(story.delivered ?? [delivered()]));
  history.settled.push(...(story.settled ?? [settled()]));
  history.cancelled.push(...(story.cancelled ?? []));
  history.keyed.push(...(story.keyed ?? []));
  history.groups.add('t1/g1');
  return {
    history,
    log: story.log ?? [entry(1, [leased(5)]), entry(2, [acknowledged])],
    skewMs: 0,
    clockLagMs: 60,
    mendedMs: story.mendedMs ?? 0,
    clientLosses: story.clientLosses ?? [],
    endedMs: 60_000,
    slackMs: 1_500,
    counts: story.counts ?? new Map(),
    patient: story.patient ?? false,
    undisturbed: story.undisturbed ?? false,
    acksReach: story.acksReach ?? false,
  };
}

const counts = (change: object): Evidence['counts'] =>
  new Map([
    [
      't1',
      {
        scheduled: 1,
        stored: 0,
        cancelled: 0,
        stopped: 0,
        groups: [{ name: 'g1', outstanding: 0, acknowledged: 1, dead: 0 }],
        ...change,
      },
    ],
  ]);
const again = delivered({ token: 8, receipt: 'r2', receiveId: 'bb', attempt: 2, invokedMs: 1_050, atMs: 1_100 });
const scheduleOnce: Command = {
  kind: 'schedule',
  topic: 't1',
  messages: [{ at: { kind: 'delay', delayMs: 0 }, headers: new Uint8Array(), body: Buffer.from('m1') }],
  idempotency: undefined,
};
const storedAt = (seq: number): Verdict => ({
  kind: 'scheduled',
  topic: 1,
  positions: [{ fireAtMs: 1_000, seq }],
  repeated: false,
});

test('a history in which all is well passes every check', () => {
  expect(judge(evidence({ counts: counts({}) }))).toEqual([]);
});

test('a repeat with its key says what was true the first time, whatever became of the message since', () => {
  const leasedOnce = cancelled({ key: 'k', verdict: 'leased', leasedUntilMs: 3_000, invokedMs: 1_020, endedMs: 1_025 });
  const since = cancelled({ verdict: 'delivered', invokedMs: 1_500, endedMs: 1_510 });
  const repeat = { ...leasedOnce, invokedMs: 1_600, endedMs: 1_610 };
  expect(judge(evidence({ cancelled: [leasedOnce, since, repeat], counts: counts({}) }))).toEqual([]);
  const fresh = { ...repeat, key: 'another' };
  expect(judge(evidence({ cancelled: [leasedOnce, since, fresh], counts: counts({}) }))).not.toEqual([]);
});

const calm = { undisturbed: true };

const broken: readonly [rule: string, story: Story][] = [
  ['nothing that was acknowledged is lost', { delivered: [], settled: [] }],
  ['nothing that was acknowledged is lost', { settled: [settled({ result: 'unknown' })] }],
  // A cancel that was refused, or that met no message, is no excuse for it.
  [
    'nothing that was acknowledged is lost',
    { delivered: [], settled: [], cancelled: [cancelled({ verdict: 'refused' })] },
  ],
  [
    'nothing that was acknowledged is lost',
    { delivered: [], settled: [], cancelled: [cancelled({ verdict: 'notFound' })] },
  ],
  ['every request ends', { scheduled: [scheduled({ outcome: 'pending' })] }],
  ['every request ends', { cancelled: [cancelled({ verdict: 'pending' })] }],
  ['every request ends', { settled: [settled({ result: 'pending' })] }],
  [
    'new messages are taken again once the faults are over',
    { scheduled: [scheduled({ outcome: 'refused', invokedMs: 6_000, endedMs: 7_500 })], delivered: [] },
  ],
  ['nothing is delivered before its time', { delivered: [delivered({ atMs: 999 })] }],
  ['nothing is delivered before its time', { delivered: [delivered({ tag: 'nobody' })] }],
  [
    'nothing is delivered before its time',
    { scheduled: [scheduled({ delayed: true, deliverAtMs: undefined })], delivered: [delivered({ atMs: 930 })] },
  ],
  [
    'nothing is delivered before its time',
    { scheduled: [scheduled({ delayed: true, deliverAtMs: 980 })], delivered: [delivered({ atMs: 970 })] },
  ],
  ['nothing is delivered after its cancel was answered', { cancelled: [cancelled()] }],
  ['nothing is delivered after its cancel was answered', { cancelled: [cancelled({ verdict: 'stopped' })] }],
  ['a verdict about a message is true, and stays', { cancelled: [cancelled({ verdict: 'notFound' })] }],
  [
    'a verdict about a message is true, and stays',
    { delivered: [], cancelled: [cancelled(), cancelled({ invokedMs: 300, endedMs: 310, verdict: 'stopped' })] },
  ],
  ['a verdict about a message is true, and stays', { cancelled: [cancelled({ verdict: 'delivered' })] }],
  [
    'a verdict about a message is true, and stays',
    { cancelled: [cancelled(), cancelled({ invokedMs: 300, endedMs: 310, verdict: 'leased' })] },
  ],
  [
    'what clients were told of a message has an order in which it could have happened',
    { cancelled: [cancelled({ invokedMs: 1_012, endedMs: 1_018, verdict: 'leased', leasedUntilMs: 2_900 })], ...calm },
  ],
  [
    'what clients were told of a message has an order in which it could have happened',
    { settled: [settled({ verb: 'extend', leasedUntilMs: 2_500 }), settled({ invokedMs: 1_040, endedMs: 1_050 })] },
  ],
  [
    'what clients were told of a message has an order in which it could have happened',
    { keyed: ['a', 'b'].map((answer) => ({ key: 'k', answer, invokedMs: 0, endedMs: 1 })) },
  ],
  [
    'two leases of one message in one group never overlap, and none ends before its time without a nack',
    { log: [entry(1, [leased(5)]), entry(2, [leased(8)])] },
  ],
  [
    'two leases of one message in one group never overlap, and none ends before its time without a nack',
    { log: [entry(1, [leased(5)]), entry(2, [retried], release(5))] },
  ],
  ['a second delivery comes only after a lease ended', { delivered: [delivered(), again] }],
  [
    'two leases of one message in one group never overlap, and none ends before its time without a nack',
    { log: [entry(1, [leased(5)]), entry(2, [{ kind: 'settled', ...here, how: 'ended' }])] },
  ],
  [
    'a second delivery comes only after a lease ended',
    { delivered: [delivered(), again], settled: [settled({ result: 'unknown' })] },
  ],
  [
    'a second delivery comes only after a lease ended',
    { delivered: [delivered(), { ...again, atMs: 4_000 }], settled: [], patient: true },
  ],
  [
    'what was acknowledged in time is delivered once, whoever leads',
    { delivered: [delivered(), { ...again, atMs: 4_000 }], settled: [settled({ endedMs: 5_000 })], acksReach: true },
  ],
  ['what was refused was not applied', { scheduled: [scheduled({ outcome: 'refused' })] }],
  [
    'the tokens of a message rise with every lease of it',
    { log: [entry(1, [leased(5)]), entry(2, [retried, leased(4)])] },
  ],
  ['the tokens of a message rise with every lease of it', { delivered: [delivered(), delivered({ attempt: 2 })] }],
  [
    'the first answer to an idempotency key is the only one',
    { keyed: ['a', 'b'].map((answer) => ({ key: 'k', answer, invokedMs: 0, endedMs: 1 })) },
  ],
  [
    'the first answer to an idempotency key is the only one',
    { log: [entry(1, [leased(5)], scheduleOnce, storedAt(1)), entry(2, [], scheduleOnce, storedAt(2))] },
  ],
  [
    'a repeated receive gets the leases that were made for it, and no others',
    {
      log: [entry(1, [leased(5), leased(6, 0xaa, { fireAtMs: 1_000, seq: 2 })]), entry(2, [acknowledged, leased(8)])],
    },
  ],
  [
    'a repeated receive gets the leases that were made for it, and no others',
    { delivered: [delivered({ receiveId: 'bb' })] },
  ],
  ['counts add up, and nothing that everybody is done with stays', { counts: counts({ scheduled: 2 }) }],
  ['counts add up, and nothing that everybody is done with stays', { counts: counts({ stored: 1 }) }],
  ['counts add up, and nothing that everybody is done with stays', { counts: counts({ cancelled: 1 }) }],
  [
    'counts add up, and nothing that everybody is done with stays',
    { delivered: [], settled: [], cancelled: [cancelled()], counts: counts({ stopped: 1, groups: [] }) },
  ],
  [
    'counts add up, and nothing that everybody is done with stays',
    { counts: counts({ groups: [{ name: 'g1', outstanding: 0, acknowledged: 2, dead: 0 }] }) },
  ],
  [
    'counts add up, and nothing that everybody is done with stays',
    { counts: counts({ groups: [{ name: 'g1', outstanding: 0, acknowledged: 0, dead: 0 }] }) },
  ],
  [
    'everything that is due is delivered in time once the faults are over',
    { scheduled: [scheduled({ dueMs: 20_000, deliverAtMs: 20_000 })], delivered: [delivered({ atMs: 30_000 })] },
  ],
  [
    'everything that is due is delivered in time once the faults are over',
    { delivered: [delivered({ atMs: 20_000 })], patient: true },
  ],
];

test.each(broken)('%s: %#', (rule, story) => {
  const check = checks.find(({ says }) => says === rule);
  expect(check?.find(evidence(story)).length).toBeGreaterThan(0);
});

test('a patient run is not late for as long as the answers to its consumers are lost', () => {
  const check = checks.find(
    ({ says }) => says === 'everything that is due is delivered in time once the faults are over',
  );
  const found = (untilMs: number, fromMs = 0) =>
    check?.find(
      evidence({
        delivered: [delivered({ atMs: 20_000 })],
        patient: true,
        clientLosses: [{ fromMs, untilMs }],
        mendedMs: 20_000,
      }),
    ).length;
  expect([found(1_000), found(19_000)]).toEqual([1, 0]);
  // It was late before they were lost.
  expect(found(19_900, 12_000)).toBe(1);
});

test('no check is without a history that breaks it', () => {
  const shown = new Set(broken.map(([rule]) => rule));
  expect(checks.filter(({ says }: Check) => !shown.has(says))).toEqual([]);
});
