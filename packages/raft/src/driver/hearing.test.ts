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
  const hearing = new Hearing(['a', 'b']);
  expect(hearing.majorityHeardAtMs(100)).toBe(Number.NEGATIVE_INFINITY);
  hearing.heard(answer('a', 3), 3, 40);
  hearing.heard(answer('b', 3), 3, 50);
  expect(hearing.majorityHeardAtMs(100)).toBe(50);
});

test('a majority of five is heard when the second other was', () => {
  const hearing = new Hearing(['a', 'b', 'c', 'd']);
  hearing.heard(answer('a', 3), 3, 40);
  hearing.heard(answer('b', 3), 3, 50);
  expect(hearing.majorityHeardAtMs(100)).toBe(40);
});

test('a member on its own hears itself at any time', () => {
  expect(new Hearing([]).majorityHeardAtMs(77)).toBe(77);
});

test('only answers of the own term count', () => {
  const hearing = new Hearing(['a', 'b']);
  hearing.heard(answer('a', 2), 3, 40);
  hearing.heard({ kind: 'heartbeat', term: 3, commit: 0, round: 0, from: 'a', to: 'me' }, 3, 50);
  expect(hearing.majorityHeardAtMs(100)).toBe(Number.NEGATIVE_INFINITY);
});
