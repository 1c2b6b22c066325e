import { expect, test } from 'vitest';
import type { RaftErrorCode } from '../../raft-error.ts';
import { Rejected } from './rejected.ts';

const record = { clusterId: 'ours', incarnations: { a: 'dir a', b: 'dir b', c: 'dir c' } };
const members = ['a', 'b', 'c'];
const identity = { id: 'a', members, incarnation: 'dir a', founding: { record, confirmed: true } };
const standing = { identity, bootId: 'boot', isFounded: true, others: 2, newestIndex: 10 };

const refusal = (code: RaftErrorCode) =>
  ({ kind: 'refusal', incarnation: 'dir a', bootId: 'boot', code, detail: 'because' }) as const;
const notNamed = (index: number, incarnation = 'dir a') => ({ kind: 'notNamed', incarnation, index }) as const;
const rejectedAs = (more: Partial<typeof standing> = {}) => new Rejected(() => ({ ...standing, ...more }));

test('a member that was never founded believes anyone', () => {
  const judged = rejectedAs({ isFounded: false }).refused('b', refusal('HF_WIPED_MEMBER'));
  expect(judged).toMatchObject({ code: 'HF_WIPED_MEMBER', facts: { peer: 'b' } });
});

test('a founded one is not sent away by a single stranger with a directory of another cluster', () => {
  const rejected = rejectedAs();
  expect(rejected.refused('b', refusal('HF_WRONG_CLUSTER'))).toBe('notYet');
  expect(rejected.refused('b', refusal('HF_WRONG_CLUSTER'))).toBe('notYet');
  expect(rejected.refused('c', refusal('HF_WRONG_CLUSTER'))).toMatchObject({ code: 'HF_WRONG_CLUSTER' });
});

test.each(['HF_LOG_CUT', 'HF_REMOVED_MEMBER'] as const)('%s is known to one alone', (code) => {
  expect(rejectedAs().refused('b', refusal(code))).toMatchObject({ code });
});

test('who admits this member again does not count against it any more', () => {
  const rejected = rejectedAs();
  expect(rejected.refused('b', refusal('HF_WRONG_CLUSTER'))).toBe('notYet');
  rejected.admittedBy('b');
  expect(rejected.refused('c', refusal('HF_WIPED_MEMBER'))).toBe('notYet');
  expect(rejected.refused('b', refusal('HF_WIPED_MEMBER'))).toMatchObject({ code: 'HF_WIPED_MEMBER' });
});

test('what is said of another directory or process of this name is no reason to stop, nor while it waits', () => {
  const rejected = rejectedAs();
  const cut = refusal('HF_LOG_CUT');
  expect(rejected.refused('b', { ...cut, incarnation: 'another' })).toBe('another');
  expect(rejected.refused('b', { ...cut, bootId: 'another' })).toBe('another');
  expect(rejected.refused('b', { ...cut, bootId: undefined })).toMatchObject({ code: 'HF_LOG_CUT' });
  expect(rejected.notNamed('b', notNamed(11, 'another'))).toBe('another');
  const waiting = new Rejected(() => ({
    ...standing,
    isFounded: false,
    identity: { ...identity, members: [], founding: undefined },
  }));
  expect(waiting.refused('b', cut)).toBe('notYet');
});

test('it was removed when a committed entry behind all that it knows does not name it, and not before', () => {
  expect(rejectedAs().notNamed('b', notNamed(9))).toBe('notYet');
  expect(rejectedAs().notNamed('b', notNamed(10))).toBe('notYet');
  expect(rejectedAs().notNamed('b', notNamed(11))).toMatchObject({ code: 'HF_REMOVED_MEMBER', facts: { index: 11 } });
  expect(rejectedAs({ isFounded: false }).notNamed('b', notNamed(11))).toBe('notYet');
});
