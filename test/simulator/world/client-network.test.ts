// What the simulator's client network must not do to the process that runs seeds, one after the other.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { seeded } from '../random.ts';
import { createTrace } from '../trace.ts';
import { apiOf, ClientNetwork } from './client-network.ts';
import { createTrueTime } from './clock.ts';

test('a call that never ends is listened for until the network closes, and no longer: what listens holds the world', async () => {
  const time = createTrueTime();
  const network = new ClientNetwork({
    time,
    random: seeded(1),
    trace: createTrace({ nowMs: () => time.nowMs, keep: 0 }),
    latencyMs: 1,
    door: () => 'silent',
    passes: () => true,
  });
  const { signal } = new AbortController();
  const request = { params: {}, query: {}, body: undefined, idempotencyKey: undefined };
  void network.caller('c1').call(apiOf('n1'), 'cluster', request, signal);
  await time.runUntil(100, () => {});
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  network.close();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});
