import { expect, test } from 'vitest';
import { Appended } from './appended.ts';
import type { Outcome } from './outcome.ts';

function waiting() {
  const appended = new Appended<string>();
  const outcomes = new Map<string, Outcome<string>>();
  const add = (name: string, index: number, term: number) =>
    appended.add(index, term, [(outcome) => outcomes.set(name, outcome)]);
  return { appended, outcomes, add };
}

test('who proposed the entry that was applied gets its result', () => {
  const { appended, outcomes, add } = waiting();
  add('a', 4, 2);
  add('b', 5, 2);
  appended.applied(4, 2, ['result']);
  expect([...outcomes]).toEqual([['a', { kind: 'applied', result: 'result', index: 4, term: 2 }]]);
  expect(appended.isEmpty).toBe(false);
});

test('not applied is said once another term was applied at the index, and not before', () => {
  const { appended, outcomes, add } = waiting();
  add('a', 4, 2);
  appended.applied(3, 3, []);
  expect(outcomes.size).toBe(0);
  appended.applied(4, 3, []);
  expect(outcomes.get('a')).toEqual({ kind: 'notApplied', reason: 'overwritten' });
});

test('an index that was lost and came again with a higher term is two proposals', () => {
  const { appended, outcomes, add } = waiting();
  add('lost', 4, 2);
  add('lost, too', 5, 2);
  add('again', 4, 3);
  appended.applied(4, 3, ['result']);
  expect(outcomes.get('lost')).toEqual({ kind: 'notApplied', reason: 'overwritten' });
  expect(outcomes.get('again')).toMatchObject({ kind: 'applied' });
  expect(outcomes.has('lost, too')).toBe(false);
});

test('what is given up is unknown, and newer terms are not', () => {
  const { appended, outcomes, add } = waiting();
  add('old', 4, 2);
  add('new', 5, 3);
  appended.giveUp(2);
  expect([...outcomes]).toEqual([['old', { kind: 'unknown', index: 4, term: 2 }]]);
});
