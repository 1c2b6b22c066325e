import { expect, test } from 'vitest';
import { PeerFaults } from './faults.ts';

test('the first fault is told at once, and then one a minute with how many there were', () => {
  const lines: unknown[] = [];
  const warn = (fields: unknown): void => void lines.push(fields);
  let nowMs = 5;
  const faults = new PeerFaults({ monotonicMs: () => nowMs }, { info: warn, warn, error: warn });
  const secret = { reason: 'refused.secret', says: 'it does not know the secret', from: '10.0.0.9:4711' } as const;
  faults.noticed(secret);
  expect(lines).toEqual([
    {
      event: 'peers.fault',
      reason: 'refused.secret',
      from: '10.0.0.9:4711',
      because: 'it does not know the secret',
      counts: { 'refused.secret': 1 },
    },
  ]);
  for (let i = 0; i < 1000; i++) faults.noticed(secret);
  nowMs += 59_999;
  faults.noticed({ reason: 'broken.magic', says: undefined, from: '10.0.0.8:1' });
  expect(lines).toHaveLength(1);
  nowMs += 1;
  faults.noticed(secret);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatchObject({ counts: { 'refused.secret': 1001, 'broken.magic': 1 } });
  nowMs += 60_000;
  faults.noticed(secret);
  expect(lines[2]).toMatchObject({ counts: { 'refused.secret': 1 } });
});
