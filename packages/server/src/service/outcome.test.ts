import { HoldfastError, OutcomeUnknownError } from '@holdfast/api';
import type { Refusal } from '@holdfast/store';
import { expect, test } from 'vitest';
import type { NotApplied, Replica, Settled } from '../replica.ts';
import { proposed } from './outcome.ts';

/** A replica whose every proposal of a `deleteGroup` ends like this. */
const ending = (settled: Settled<'deleteGroup'>): Pick<Replica, 'propose'> => ({
  // Tests propose nothing but `deleteGroup`, which the generic signature cannot know.
  propose: async () => settled as never,
});
const deleteGroup = { kind: 'deleteGroup', topic: 1, group: 1 } as const;
const errorOf = async (settled: Settled<'deleteGroup'>): Promise<unknown> =>
  proposed<'deleteGroup'>(ending(settled), deleteGroup).catch((error: unknown) => error);

test('an accepted verdict is the answer', async () => {
  const replica = ending({ kind: 'applied', verdict: { kind: 'deleting' } });
  expect(await proposed<'deleteGroup'>(replica, deleteGroup)).toEqual({ kind: 'deleting' });
});

const refusals: Readonly<Record<Refusal['code'], string>> = {
  topicNotFound: 'HF_TOPIC_NOT_FOUND',
  groupNotFound: 'HF_GROUP_NOT_FOUND',
  topicLimit: 'HF_TOPIC_LIMIT',
  groupLimit: 'HF_GROUP_LIMIT',
  idempotencyKeyReused: 'HF_IDEMPOTENCY_KEY_REUSED',
  undecodable: 'HF_INTERNAL',
  tooManyRows: 'HF_INTERNAL',
  cursorMoved: 'HF_INTERNAL',
  graceRunning: 'HF_INTERNAL',
};
test.each(Object.entries(refusals))('a command refused as %s is answered %s', async (code, answer) => {
  const refusal = { kind: 'refused', code: code as Refusal['code'] } as const;
  expect(await errorOf({ kind: 'applied', verdict: refusal })).toMatchObject({ code: answer });
});

const reasons: Readonly<Record<NotApplied, string>> = {
  notLeader: 'HF_NO_LEADER',
  overwritten: 'HF_NO_LEADER',
  overloaded: 'HF_OVERLOADED',
  stopping: 'HF_STOPPING',
  tooLarge: 'HF_BODY_TOO_LARGE',
};
test.each(Object.entries(reasons))('not applied, %s: %s, and never "unknown"', async (reason, code) => {
  const error = await errorOf({ kind: 'notApplied', reason: reason as NotApplied });
  expect(error).toMatchObject({ code, applied: 'no' });
  expect(error).not.toBeInstanceOf(OutcomeUnknownError);
});

test('an overload says when to come again', async () => {
  const error = await errorOf({ kind: 'notApplied', reason: 'overloaded' });
  expect(error instanceof HoldfastError && error.facts.retryAfterMs).toBeGreaterThan(0);
});

test('an unknown outcome has its own type, and is never called a failure', async () => {
  const error = await errorOf({ kind: 'unknown' });
  expect(error).toBeInstanceOf(OutcomeUnknownError);
  expect(error).toMatchObject({ code: 'HF_OUTCOME_UNKNOWN', applied: 'unknown' });
});
