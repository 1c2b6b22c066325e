import { expect, test } from 'vitest';
import { Rejected } from './rejected.ts';

const refusal = (code: 'HF_WIPED_MEMBER' | 'HF_WRONG_CLUSTER' | 'HF_LOG_CUT' | 'HF_REMOVED_MEMBER') =>
  ({ kind: 'refusal', incarnation: 'dir a', bootId: 'boot', code, detail: '' }) as const;

const founded = { isFounded: true, others: 2 };
const notFounded = { isFounded: false, others: 2 };

test('a member that was never founded believes anyone', () => {
  expect(new Rejected().mustStop('b', refusal('HF_WIPED_MEMBER'), notFounded)).toBe(true);
});

test('a founded one is not sent away by a single stranger with a directory of another cluster', () => {
  const rejected = new Rejected();
  expect(rejected.mustStop('b', refusal('HF_WRONG_CLUSTER'), founded)).toBe(false);
  expect(rejected.mustStop('b', refusal('HF_WRONG_CLUSTER'), founded)).toBe(false);
  expect(rejected.mustStop('c', refusal('HF_WRONG_CLUSTER'), founded)).toBe(true);
});

test('a log that is cut is known to the leader alone', () => {
  expect(new Rejected().mustStop('b', refusal('HF_LOG_CUT'), founded)).toBe(true);
});

test('one that was removed need not hear it from all', () => {
  expect(new Rejected().mustStop('b', refusal('HF_REMOVED_MEMBER'), founded)).toBe(true);
});

test('who admits this member again does not count against it any more', () => {
  const rejected = new Rejected();
  expect(rejected.mustStop('b', refusal('HF_WRONG_CLUSTER'), founded)).toBe(false);
  rejected.admittedBy('b');
  expect(rejected.mustStop('c', refusal('HF_WIPED_MEMBER'), founded)).toBe(false);
  expect(rejected.mustStop('b', refusal('HF_WIPED_MEMBER'), founded)).toBe(true);
});
