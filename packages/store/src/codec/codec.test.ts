import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Command, type CommandKind, decodeCommand, encodeCommand } from '../index.ts';

const time = fc.integer({ min: 0, max: 253_402_300_799_999 });
const delay = fc.integer({ min: 0, max: 3_000_000_000_000 });
const lasting = fc.integer({ min: 1, max: 3_000_000_000_000 });
const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const seq = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const position = fc.record({ fireAtMs: seq, seq });
const blob = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const name = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => Buffer.byteLength(text) <= 128);
const of = { topic: number, group: number };
const ref = fc.record({ position, token: seq });
const idempotency = fc.option(fc.record({ key: name, requestHash: sixteen, keepMs: lasting }), { nil: undefined });
const at = fc.oneof(
  fc.record({ kind: fc.constant('time' as const), timeMs: time }),
  fc.record({ kind: fc.constant('delay' as const), delayMs: delay }),
);
const start = fc.oneof(
  fc.constant({ kind: 'earliest' as const }),
  fc.constant({ kind: 'now' as const }),
  fc.record({ kind: fc.constant('time' as const), timeMs: time }),
);
const step = fc.oneof(
  fc.record({
    kind: fc.constant('answers' as const),
    topic: number,
    keys: fc.array(fc.record({ key: name, untilMs: seq })),
  }),
  fc.record({
    kind: fc.constant('ended' as const),
    rows: fc.array(fc.record({ topic: number, position, endedAtMs: seq })),
  }),
  fc.record({ kind: fc.constant('messages' as const), topic: number, positions: fc.array(position) }),
  fc.record({ kind: fc.constant('group' as const), ...of, holds: fc.array(position), last: fc.boolean() }),
);
const receive = fc.constantFrom(0, 1);

/** A kind that is missing here does not compile. */
const arbitraries: { readonly [K in CommandKind]: fc.Arbitrary<Command> } = {
  begin: fc.record({ kind: fc.constant('begin' as const), graceMs: number }),
  tick: fc.constant({ kind: 'tick' as const }),
  schedule: fc.record({
    kind: fc.constant('schedule' as const),
    topic: name,
    messages: fc.array(fc.record({ at, headers: blob, body: blob })),
    idempotency,
  }),
  createGroup: fc.record({
    kind: fc.constant('createGroup' as const),
    topic: name,
    group: name,
    start,
    config: fc.record({
      maxAttempts: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      backoffFirstMs: delay,
      backoffMaxMs: delay,
    }),
    replaceConfig: fc.boolean(),
  }),
  deleteGroup: fc.record({ kind: fc.constant('deleteGroup' as const), ...of }),
  lease: fc.record({
    kind: fc.constant('lease' as const),
    ...of,
    cursor: fc.option(fc.record({ from: position, to: position }), { nil: undefined }),
    receives: fc.array(fc.record({ receiveId: sixteen, leaseMs: lasting }), { minLength: 2 }),
    lane: fc.array(fc.record({ position, receive })),
    retries: fc.array(fc.record({ position, retryAtMs: seq, retrySeq: seq, receive })),
  }),
  ack: fc.record({ kind: fc.constant('ack' as const), ...of, leases: fc.array(ref) }),
  nack: fc.record({
    kind: fc.constant('nack' as const),
    ...of,
    leases: fc.array(fc.record({ position, token: seq, delayMs: delay, reason: fc.string({ maxLength: 50 }) })),
  }),
  extend: fc.record({ kind: fc.constant('extend' as const), ...of, leases: fc.array(ref), leaseMs: lasting }),
  cancel: fc.record({ kind: fc.constant('cancel' as const), topic: number, position, idempotency }),
  release: fc.record({
    kind: fc.constant('release' as const),
    ...of,
    leases: fc.array(fc.record({ position, token: seq, delayMs: delay })),
  }),
  giveBack: fc.record({ kind: fc.constant('giveBack' as const), ...of, leases: fc.array(ref) }),
  collect: fc.record({ kind: fc.constant('collect' as const), steps: fc.array(step) }),
  activate: fc.record({ kind: fc.constant('activate' as const), version: fc.integer({ min: 1, max: 2 ** 16 - 1 }) }),
};
const anyCommand = fc.oneof(...Object.values(arbitraries));

test.each(Object.entries(arbitraries))('a %s comes back as it went', (_kind, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, (command) => {
      expect(decodeCommand(encodeCommand(command))).toEqual(command);
    }),
    { numRuns: 50 },
  );
});

test('whatever the bytes are, the answer is undefined, or a command whose bytes they are', () => {
  const broken = fc
    .tuple(anyCommand, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(3))
    .map(([command, flips, cut]) => {
      const bytes = Buffer.from(encodeCommand(command));
      for (const [at, value] of flips) bytes[at % bytes.length] = value;
      return cut === 0 ? bytes.subarray(0, flips.length * 7) : bytes;
    });
  const noise = fc
    .uint8Array({ maxLength: 60 })
    .map((bytes) => Buffer.concat([Buffer.of(1, (bytes[0] ?? 0) % 16), bytes]));
  fc.assert(
    fc.property(fc.oneof(broken, noise), (bytes) => {
      const command = decodeCommand(bytes);
      if (command !== undefined) expect(Buffer.from(encodeCommand(command)).equals(bytes)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

const tick = encodeCommand({ kind: 'tick' });
const schedule = encodeCommand({ kind: 'schedule', topic: 'name', messages: [], idempotency: undefined });
const changed = (bytes: Uint8Array, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
};
const lease = (receives: number): Uint8Array =>
  encodeCommand({
    kind: 'lease',
    topic: 1,
    group: 1,
    cursor: undefined,
    receives: Array.from({ length: receives }, () => ({ receiveId: Buffer.alloc(16), leaseMs: 1 })),
    lane: [{ position: { fireAtMs: 1, seq: 1 }, receive: 1 }],
    retries: [],
  });
const refs = { topic: 1, group: 1, leases: [] };

test.each([
  ['nothing', Buffer.of()],
  ['another format', changed(tick, 0, 2)],
  ['no such kind', changed(tick, 1, 99)],
  ['a byte too many', Buffer.concat([tick, Buffer.of(0)])],
  ['a byte too few', schedule.subarray(0, -1)],
  ['a name that is no UTF-8', changed(schedule, 4, 0xff)],
  ['a list that claims four billion items', Buffer.concat([schedule.subarray(0, -4), Buffer.alloc(4, 0xff)])],
  ['a flag that is neither 0 nor 1', changed(schedule, 8, 2)],
  ['an empty name', encodeCommand({ kind: 'schedule', topic: '', messages: [], idempotency: undefined })],
  [
    'a name of 256 bytes',
    encodeCommand({ kind: 'schedule', topic: 'n'.repeat(256), messages: [], idempotency: undefined }),
  ],
  ['a row leased to a receive that is not there', lease(1)],
  ['an active version of none', encodeCommand({ kind: 'activate', version: 0 })],
  ['a lease of no time', encodeCommand({ kind: 'extend', ...refs, leaseMs: 0 })],
  ['a lease of a hundred years and more', encodeCommand({ kind: 'extend', ...refs, leaseMs: 3_200_000_000_000 })],
])('%s is undecodable', (_what, bytes) => {
  expect(decodeCommand(bytes)).toBeUndefined();
});

test('a row leased to a receive that is there is fine', () => {
  expect(decodeCommand(lease(2))).toBeDefined();
});

test.each([0.5, -1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])('%s is encoded by nobody', (delayMs) => {
  const at = { kind: 'delay', delayMs } as const;
  const message = { at, headers: Buffer.of(), body: Buffer.of() };
  expect(() => encodeCommand({ kind: 'schedule', topic: 't', messages: [message], idempotency: undefined })).toThrow(
    RangeError,
  );
  // The next one begins with a clean sheet.
  expect(encodeCommand({ kind: 'tick' })).toEqual(tick);
});
