import { expect, test } from 'vitest';
import { takeover } from '../bench/takeover-run.ts';

test('2,000 messages due at 100/s, the node that delivers is killed in the middle and stays dead: all arrive, once, none later than 1.5 s', async () => {
  const seen = await takeover({ messages: 2_000, perSecond: 100, aheadMs: 4_000 });
  expect(seen).toMatchObject({ delivered: 2_000, lost: 0, early: 0, repeated: 0 });
  expect(seen.latestMs).toBeLessThan(1_500);
  expect(seen.tookOver).not.toBe(seen.killed);
}, 60_000);
