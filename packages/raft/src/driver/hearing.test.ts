import { expect, test } from 'vitest';
import type { Message } from '../core/message.ts';
import { Hearing } from './hearing.ts';

const answer = (from: string, term: number): Message => ({
  kind: 'heartbeatResponse',
  term,
  applied: 0,
  round: 0,
  from,
  to: 'me',
});

test('a majority of three is heard when one other was', () => {
  const hearing = new Hearing();
  expect(hearing.majorityHeardAtMs(100, ['me', 'a', 'b'], 'me')).toBe(Number.NEGATIVE_INFINITY);
  hearing.heard(answer('a', 3), 3, 40);
  hearing.heard(answer('b', 3), 3, 50);
  expect(hearing.majorityHeardAtMs(100, ['me', 'a', 'b'], 'me')).toBe(50);
});

test('a majority of five is heard when the second other was', () => {
  const hearing = new Hearing();
  hearing.heard(answer('a', 3), 3, 40);
  hearing.heard(answer('b', 3), 3, 50);
  expect(hearing.majorityHeardAtMs(100, ['me', 'a', 'b', 'c', 'd'], 'me')).toBe(40);
  // One that is removed leads on until that is committed, and does not count itself.
  expect(hearing.majorityHeardAtMs(100, ['a', 'b', 'c', 'd'], 'me')).toBe(Number.NEGATIVE_INFINITY);
});

test('a member on its own hears itself at any time', () => {
  expect(new Hearing().majorityHeardAtMs(77, ['me'], 'me')).toBe(77);
});

test('only answers of the own term count', () => {
  const hearing = new Hearing();
  hearing.heard(answer('a', 2), 3, 40);
  hearing.heard({ kind: 'heartbeat', term: 3, commit: 0, round: 0, from: 'a', to: 'me' }, 3, 50);
  expect(hearing.majorityHeardAtMs(100, ['me', 'a', 'b'], 'me')).toBe(Number.NEGATIVE_INFINITY);
});
