// While version 1 is in force, builds that know nothing later are members: rows and hash must be theirs, byte for byte.
// The figures below are what the build before this one made of the same entries.
import { expect, test } from 'vitest';
import { type Command, type Position, type Verdict } from '../src/index.ts';
import { bytes, Harness, receiveId } from './harness.ts';

const metaKey = Buffer.from('020000000101', 'hex');
const config = { maxAttempts: 3, backoffFirstMs: 0, backoffMaxMs: 0 };
const origin: Position = { fireAtMs: 0, seq: 0 };

test('a state of version 1 has the rows and the hash that the build before wrote', async () => {
  const node = await Harness.open();
  const apply = async (command: Command): Promise<Verdict | undefined> => {
    node.stampMs += 1;
    const [verdict] = await node.entry([command]);
    return verdict;
  };
  await apply({ kind: 'begin', graceMs: 3_000 });
  await apply({
    kind: 'createGroup',
    topic: 't',
    group: 'g',
    start: { kind: 'earliest' },
    config,
    replaceConfig: true,
  });
  const messages = [0, 0, 50].map((delayMs) => ({
    at: { kind: 'delay', delayMs } as const,
    headers: bytes('h'),
    body: bytes('b'),
  }));
  const idempotency = { key: 'k', requestHash: Buffer.alloc(16, 1), keepMs: 5 };
  const scheduled = await apply({ kind: 'schedule', topic: 't', messages, idempotency });
  if (scheduled?.kind !== 'scheduled') throw new Error('not scheduled');
  const [first = origin, second = origin, third = origin] = scheduled.positions;
  const to = { fireAtMs: node.store.clockMs, seq: node.store.seq };
  await apply({
    kind: 'lease',
    topic: 1,
    group: 1,
    cursor: { from: origin, to },
    receives: [{ receiveId: receiveId(1), leaseMs: 10 }],
    lane: [first, second].map((position) => ({ position, receive: 0 })),
    retries: [],
  });
  const tokens = to.seq + 1;
  await apply({ kind: 'ack', topic: 1, group: 1, leases: [{ position: first, token: tokens }] });
  const nacked = { position: second, token: tokens + 1, delayMs: 5, reason: 'broken' };
  await apply({ kind: 'nack', topic: 1, group: 1, leases: [nacked] });
  await apply({ kind: 'cancel', topic: 1, position: third, idempotency: undefined });

  expect(node.store.stateHash).toBe('c6ddda513447cbb10fcbbb235226df3333d266d6');
  expect(Buffer.from(node.database.getSync(metaKey) ?? []).toString('hex')).toBe(
    '0100010000000000070000000000010000000f4247000000000006000000010000000000010000000f4df900000bb8' +
      '00000000000000000002c6ddda513447cbb10fcbbb235226df3333d266d659d61b57',
  );
});
