import { expect, test } from 'vitest';
import { Rejected } from './rejected.ts';

const refusal = (code: 'HF_WIPED_MEMBER' | 'HF_WRONG_CLUSTER' | 'HF_LOG_CUT') =>
  ({ kind: 'refusal', incarnation: 'dir a', bootId: 'boot', code, detail: '' }) as const;

test('a member that was never founded believes anyone', () => {
  expect(new Rejected(3).mustStop('b', refusal('HF_WIPED_MEMBER'), false)).toBe(true);
});

test('a founded one is not sent away by a single stranger with a directory of another cluster', () => {
  const rejected = new Rejected(3);
  expect(rejected.mustStop('b', refusal('HF_WRONG_CLUSTER'), true)).toBe(false);
  expect(rejected.mustStop('b', refusal('HF_WRONG_CLUSTER'), true)).toBe(false);
  expect(rejected.mustStop('c', refusal('HF_WRONG_CLUSTER'), true)).toBe(true);
});

test('a log that is cut is known to the leader alone', () => {
  expect(new Rejected(3).mustStop('b', refusal('HF_LOG_CUT'), true)).toBe(true);
});

test('who admits this member again does not count against it any more', () => {
  const rejected = new Rejected(3);
  expect(rejected.mustStop('b', refusal('HF_WRONG_CLUSTER'), true)).toBe(false);
  rejected.admittedBy('b');
  expect(rejected.mustStop('c', refusal('HF_WIPED_MEMBER'), true)).toBe(false);
  expect(rejected.mustStop('b', refusal('HF_WIPED_MEMBER'), true)).toBe(true);
});
