// The rules that hold of members after every step, each seen to fail.
import { expect, test } from 'vitest';
import type { Lead, Sight } from './live.ts';
import {
  membersChangeOneByOne,
  newVotersHaveNearlyEverything,
  nothingIsProposedWhileALeaderGoes,
  votersCommit,
  whoIsNamedLeadsNext,
} from './live-members.ts';

const lead = (change: Partial<Lead> = {}): Lead => ({
  termStartIndex: 5,
  configurationIndex: 3,
  transferringTo: undefined,
  voters: new Map([
    ['n1', 9],
    ['n2', 7],
    ['n3', 4],
  ]),
  ...change,
});

const sight = (change: Partial<Sight> = {}): Sight => ({
  id: 'n1',
  life: 1,
  role: 'leader',
  term: 2,
  commit: 5,
  applied: 5,
  lastIndex: 9,
  durableIndex: 9,
  stateHash: 'aa',
  clockMs: 1_000,
  monotonicMs: 0,
  quorumSilentMs: 0,
  serves: false,
  clocksKnown: 0,
  leads: lead(),
  ...change,
});

test('a majority of the voters has what is committed', () => {
  const check = votersCommit();
  expect(check.see(sight({ commit: 7 }), sight())).toBeUndefined();
  expect(check.see(sight({ commit: 8 }), sight())).toMatch('has committed 8, which 1 of 3 voters have');
  // It led another term, or others, before.
  expect(check.see(sight({ commit: 8 }), sight({ term: 1 }))).toBeUndefined();
  expect(check.see(sight({ commit: 8 }), sight({ leads: undefined }))).toBeUndefined();
  expect(check.see(sight({ commit: 8 }), sight({ leads: lead({ configurationIndex: 2 }) }))).toBeUndefined();
});

test('two of four are no majority', () => {
  const voters = new Map([...lead().voters, ['n4', 1]]);
  const leads = lead({ voters });
  expect(votersCommit().see(sight({ commit: 7, leads }), sight({ leads }))).toMatch('2 of 4');
});

test('a change waits for the one before, and for an entry of the own term', () => {
  const check = membersChangeOneByOne();
  const leads = lead({ configurationIndex: 8 });
  expect(check.see(sight({ leads }), sight())).toBeUndefined();
  expect(check.see(sight({ commit: 4, leads }), sight({ commit: 4 }))).toMatch('committed 4 and not 5');
  const before = lead({ configurationIndex: 7 });
  expect(check.see(sight({ commit: 6, leads }), sight({ leads: before }))).toMatch('committed 6 and not 7');
  expect(check.see(sight({ commit: 7, leads }), sight({ leads: before }))).toBeUndefined();
  expect(check.see(sight({ commit: 4, leads }), sight({ commit: 4, leads: undefined }))).toBeUndefined();
});

test('a new voter is not far behind', () => {
  const check = newVotersHaveNearlyEverything(2);
  const joined = (match: number): Sight =>
    sight({ leads: lead({ configurationIndex: 9, voters: new Map([...lead().voters, ['n4', match]]) }) });
  expect(check.see(joined(6), sight())).toBeUndefined();
  expect(check.see(joined(5), sight())).toMatch('has given a vote to n4 at 9, which has 5');
  expect(check.see(joined(5), joined(5))).toBeUndefined();
});

test('nothing is appended by a leader that hands over', () => {
  const check = nothingIsProposedWhileALeaderGoes();
  const leads = lead({ transferringTo: 'n2' });
  expect(check.see(sight({ leads }), sight({ leads }))).toBeUndefined();
  expect(check.see(sight({ leads, lastIndex: 10 }), sight({ leads }))).toMatch('hands over to n2, and has appended 10');
  expect(check.see(sight({ leads, lastIndex: 10 }), sight())).toBeUndefined();
  expect(check.see(sight({ lastIndex: 10 }), sight({ leads }))).toBeUndefined();
});

test.each([
  ['n3', 3],
  ['n2', 4],
])('who is named leads next: not %s in term %d', (id, term) => {
  const check = whoIsNamedLeadsNext();
  const leads = lead({ transferringTo: 'n2' });
  expect(check.see(sight({ leads }), undefined)).toBeUndefined();
  expect(check.see(sight(), undefined)).toBeUndefined();
  expect(check.see(sight({ id, term }), undefined)).toMatch(
    `n2 was to lead after term 2, and ${id} leads term ${term}`,
  );

  const good = whoIsNamedLeadsNext();
  good.see(sight({ leads }), undefined);
  expect(good.see(sight({ id: 'n2', term: 3 }), undefined)).toBeUndefined();
  expect(good.see(sight({ id, term: term + 1 }), undefined)).toBeUndefined();
});
