import { expect, test } from 'vitest';
import { createQuota } from './quota.ts';

const overloaded = expect.objectContaining({
  code: 'HF_OVERLOADED',
  facts: expect.objectContaining({ retryAfterMs: 250 }),
});

test('a request more than the bound is refused and counted, and let in again when one has left', () => {
  const quota = createQuota({ requestsInProgress: 2, bytesInProgress: 10 });
  const leave = quota.enter();
  quota.enter();
  expect(() => quota.enter()).toThrow(overloaded);
  expect(quota.refusals).toEqual(new Map([['requestsInProgress', 1]]));
  leave();
  quota.enter();
  expect(quota.requests).toBe(2);
});

test('bytes more than the bound are refused and counted, and given back', () => {
  const quota = createQuota({ requestsInProgress: 2, bytesInProgress: 10 });
  const giveBack = quota.weigh(6);
  expect(() => quota.weigh(5)).toThrow(overloaded);
  expect(quota.bytes).toBe(6);
  giveBack();
  quota.weigh(10);
  expect(quota.bytes).toBe(10);
  expect(quota.refusals).toEqual(new Map([['bytesInProgress', 1]]));
});
