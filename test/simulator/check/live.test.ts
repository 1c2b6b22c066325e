// The rules that hold after every step, each seen to fail.
import type { Entry } from '@holdfast/raft';
import { expect, test } from 'vitest';
import {
  equalStateAtEqualIndex,
  leadersAreAnswered,
  leadersHaveWhatWasCommitted,
  nothingGoesBack,
  oneLeaderATerm,
  type Sight,
  whoServesKnowsTheTime,
} from './live.ts';
import { differences } from './log-matching.ts';

const sight = (change: Partial<Sight> = {}): Sight => ({
  id: 'n1',
  life: 1,
  role: 'follower',
  term: 2,
  commit: 5,
  applied: 5,
  lastIndex: 6,
  durableIndex: 6,
  stateHash: 'aa',
  clockMs: 1_000,
  monotonicMs: 0,
  quorumSilentMs: 0,
  serves: false,
  clocksKnown: 0,
  leads: undefined,
  ...change,
});

test('a term has one leader', () => {
  const check = oneLeaderATerm();
  expect(check.see(sight({ role: 'leader' }), undefined)).toBeUndefined();
  expect(check.see(sight({ role: 'leader', id: 'n2', term: 3 }), undefined)).toBeUndefined();
  expect(check.see(sight({ role: 'leader', id: 'n2' }), undefined)).toMatch('both lead term 2');
});

test.each([
  { term: 1 },
  { commit: 4 },
  { applied: 4 },
  { clockMs: 999 },
  { applied: 7, commit: 6, durableIndex: 9 },
  { applied: 7, commit: 9 },
])('what only rises does not go back, and nothing is applied too early: %o', (change) => {
  const check = nothingGoesBack();
  expect(check.see(sight(), sight())).toBeUndefined();
  expect(check.see(sight({ life: 2, commit: 0, applied: 0 }), sight())).toBeUndefined();
  expect(check.see(sight(change), sight())).toMatch('n1');
});

test('the same index has the same state, also after a restart', () => {
  const check = equalStateAtEqualIndex(new Map());
  expect(check.see(sight(), undefined)).toBeUndefined();
  expect(check.see(sight({ id: 'n2', applied: 6, stateHash: 'bb' }), undefined)).toBeUndefined();
  expect(check.see(sight({ id: 'n2', life: 2, stateHash: 'bb' }), sight({ id: 'n2' }))).toMatch('index 5');
});

test('a leader has every entry that was committed before its term', () => {
  const check = leadersHaveWhatWasCommitted();
  check.see(sight({ applied: 9 }), undefined);
  expect(check.see(sight({ id: 'n2', role: 'leader', term: 2 }), undefined)).toBeUndefined();
  expect(check.see(sight({ id: 'n2', role: 'leader', term: 3 }), undefined)).toMatch('9 were committed');
});

test('a leader that no majority answers steps down', () => {
  const check = leadersAreAnswered();
  const seen = (monotonicMs: number, quorumSilentMs: number) =>
    check.see(sight({ role: 'leader', monotonicMs, quorumSilentMs }), undefined);
  const see = (quorumSilentMs: number) => seen(100_000 + quorumSilentMs, quorumSilentMs);
  expect([0, 3_000, 3_200, 3_400, 3_600].map(see).at(-1)).toMatch('silent for 3600 ms');
  expect([8_000, 100, 8_600].map(see).slice(1)).toEqual([undefined, undefined]);
  // It stood still again before it could notice, and gets its time anew.
  expect([9_000, 9_035, 10_600, 10_800, 11_000].map(see)).toEqual(Array.from({ length: 5 }));
  expect([11_050, 11_150].map(see).at(-1)).toMatch('silent for 11150 ms');
});

test('how long nobody answered a leader before it led counts for nothing, also where that comes down a little', () => {
  const check = leadersAreAnswered();
  const seen = (monotonicMs: number, quorumSilentMs: number) =>
    check.see(sight({ role: 'leader', monotonicMs, quorumSilentMs }), undefined);
  expect([seen(7_400, 6_000), seen(7_600, 5_400), seen(7_800, 5_600), seen(9_800, 7_600)]).toEqual(
    Array.from({ length: 4 }),
  );
  expect([10_000, 10_200, 10_400, 10_600].map((ms) => seen(ms, ms - 2_200)).at(-1)).toMatch('silent for 3200 ms');
});

test('a leader that answers requests knows a quorum of clocks', () => {
  const check = whoServesKnowsTheTime();
  const leads = { termStartIndex: 1, configurationIndex: 1, transferringTo: undefined, voters: new Map([['n1', 6]]) };
  const see = (change: Partial<Sight>) => check.see(sight({ leads, ...change }), undefined);
  expect(see({ serves: true, clocksKnown: 2 })).toBeUndefined();
  expect(see({ serves: false })).toBeUndefined();
  expect(see({ serves: true })).toMatch('n1 serves in term 2');
});

test('logs that agree on an entry agree on everything before it', () => {
  const entry = (index: number, term: number, text: string): Entry => ({
    index,
    term,
    kind: 'commands',
    payload: Buffer.from(text),
    bytes: Buffer.from(text),
  });
  const one = { id: 'n1', entries: [entry(1, 1, 'a'), entry(2, 2, 'b')] };
  expect(differences([one, { id: 'n2', entries: [entry(1, 1, 'a'), entry(2, 3, 'c')] }])).toEqual([]);
  expect(differences([one, { id: 'n2', entries: [entry(1, 1, 'x'), entry(2, 2, 'b')] }])).toHaveLength(1);
});
