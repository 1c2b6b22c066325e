import { expect, test } from 'vitest';
import { type ErrorCode, errorTable, fromProblem, HoldfastError, OutcomeUnknownError, toProblem } from './index.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

test.each(codes)('%s goes over the wire and comes back the same', (code) => {
  const facts = {
    detail: 'why',
    fields: [{ path: 'a.b', message: 'is bad' }],
    retryAfterMs: 250,
    leaderApi: 'http://127.0.0.1:1',
  };
  const error = code === 'HF_OUTCOME_UNKNOWN' ? new OutcomeUnknownError(facts) : new HoldfastError(code, facts);
  const back = fromProblem(JSON.parse(JSON.stringify(toProblem(error))));
  expect(back).toMatchObject({ code, status: errorTable[code].status, applied: errorTable[code].applied, facts });
  expect(back?.message).toBe(error.message);
});

test('an outcome that is not known has a type of its own, and no other error has', () => {
  const unknown = fromProblem(toProblem(new OutcomeUnknownError()));
  expect(unknown).toBeInstanceOf(OutcomeUnknownError);
  expect(fromProblem(toProblem(new HoldfastError('HF_NO_LEADER')))).not.toBeInstanceOf(OutcomeUnknownError);
});

test('what is no problem of ours is told from one', () => {
  for (const value of [
    undefined,
    null,
    'x',
    {},
    { ...toProblem(new HoldfastError('HF_INTERNAL')), code: 'SOMETHING_ELSE' },
  ]) {
    expect(fromProblem(value)).toBeUndefined();
  }
});

test('every code that says unknown is a 5xx, and every 4xx says no', () => {
  for (const { status, applied } of Object.values(errorTable)) expect(applied === 'no' || status >= 500).toBe(true);
});

test('what a person reads names the field, also when nobody wrote a sentence', () => {
  const fields = [{ path: 'messages.0.at', message: 'must be whole milliseconds' }];
  expect(new HoldfastError('HF_INVALID_REQUEST', { fields }).message).toContain(
    'messages.0.at: must be whole milliseconds.',
  );
});
