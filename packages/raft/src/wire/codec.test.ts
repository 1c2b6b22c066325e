import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message } from '../core/message.ts';
import { encodeEntry } from '../log/entry.ts';
import type { ProtocolVersion } from '../versions.ts';
import { CorruptMessage, decodeMessage, encodeMessage } from './codec.ts';

const number = fc.maxSafeNat();
const ends = { from: fc.constant('a'), to: fc.constant('b'), term: number };
const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('preVoteRequest', 'voteRequest'),
    ...ends,
    lastIndex: number,
    lastTerm: number,
    transfer: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('preVoteResponse', 'voteResponse'), ...ends, granted: fc.boolean() }),
  fc.record({
    kind: fc.constant('appendResponse' as const),
    ...ends,
    accepted: fc.boolean(),
    index: number,
    hintIndex: number,
    hintTerm: number,
    applied: number,
  }),
  fc.record({ kind: fc.constant('heartbeat' as const), ...ends, commit: number, round: number }),
  fc.record({ kind: fc.constant('heartbeatResponse' as const), ...ends, applied: number, round: number }),
  fc.record({ kind: fc.constant('timeoutNow' as const), ...ends }),
  fc.record({ kind: fc.constant('readRequest' as const), ...ends, context: number }),
  fc.record({
    kind: fc.constant('readResponse' as const),
    ...ends,
    context: number,
    granted: fc.boolean(),
    index: number,
  }),
  fc
    .record({
      ...ends,
      previousIndex: fc.nat(1000),
      previousTerm: number,
      commit: number,
      sizes: fc.array(fc.nat(50), { maxLength: 5 }),
    })
    .map(({ sizes, ...rest }) => ({
      kind: 'appendRequest' as const,
      ...rest,
      entries: sizes.map((size, i) => encodeEntry(rest.previousIndex + 1 + i, 3, 'commands', Buffer.alloc(size, i))),
    })),
);

function bodyOf(
  message: Message,
  version: ProtocolVersion = 2,
): { readonly body: Buffer; readonly checkedBytes: number } {
  const encoded = encodeMessage(message, 123.5, version);
  if (encoded === undefined) throw new Error(`version ${version} has no ${message.kind}`);
  const { head, entries, entriesBytes } = encoded;
  const body = Buffer.concat([head, ...entries.map((entry) => entry.bytes)]);
  expect(body.length).toBe(head.length + entriesBytes);
  return { body, checkedBytes: head.length };
}

test('every message comes back as it was sent, with the time of its sender', () => {
  fc.assert(
    fc.property(messages, (message) => {
      const { body, checkedBytes } = bodyOf(message);
      expect(decodeMessage(body, checkedBytes, 'a', 'b', 2)).toEqual({ message, sample: { wallMs: 123.5 } });
    }),
  );
});

test('a message that is cut anywhere, or longer than it says, is refused', () => {
  fc.assert(
    fc.property(messages, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), (message, cut, more) => {
      const { body, checkedBytes } = bodyOf(message);
      const short = body.subarray(0, cut % body.length);
      expect(() => decodeMessage(short, Math.min(short.length, checkedBytes), 'a', 'b', 2)).toThrow(CorruptMessage);
      expect(() => decodeMessage(Buffer.concat([body, more]), checkedBytes, 'a', 'b', 2)).toThrow(CorruptMessage);
    }),
  );
});

test('an entry with a flipped bit, or out of its order, is refused', () => {
  const entries = [4, 5].map((index) => encodeEntry(index, 2, 'commands', Buffer.from('payload')));
  const append = {
    kind: 'appendRequest',
    term: 2,
    previousIndex: 3,
    previousTerm: 1,
    commit: 0,
    entries,
    from: 'a',
    to: 'b',
  } as const;
  const { body, checkedBytes } = bodyOf(append);
  for (let bit = checkedBytes * 8; bit < body.length * 8; bit++) {
    const flipped = Buffer.from(body);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(() => decodeMessage(flipped, checkedBytes, 'a', 'b', 2), `bit ${bit}`).toThrow(CorruptMessage);
  }
  const shifted = bodyOf({ ...append, previousIndex: 2 });
  expect(() => decodeMessage(shifted.body, shifted.checkedBytes, 'a', 'b', 2)).toThrow('do not follow');
});

test('bytes of chance are a corrupt message, and nothing worse', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (chance) => {
      try {
        decodeMessage(Buffer.from(chance), chance.length, 'a', 'b', 2);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptMessage);
      }
    }),
  );
});

test('a peer of version 1 gets what it can read: nothing new, and the old without what it does not know', () => {
  const ends = { from: 'a', to: 'b', term: 3 } as const;
  const ask = { kind: 'voteRequest', ...ends, lastIndex: 7, lastTerm: 2 } as const;
  const beat = { kind: 'heartbeat', ...ends, commit: 5 } as const;
  const answer = { kind: 'heartbeatResponse', ...ends, applied: 5 } as const;
  for (const [sent, arrived, fields] of [
    [{ ...ask, transfer: true }, { ...ask, transfer: false }, 3],
    [{ ...beat, round: 9 }, { ...beat, round: 0 }, 2],
    [{ ...answer, round: 9 }, { ...answer, round: 0 }, 2],
  ] as const) {
    const { body, checkedBytes } = bodyOf(sent, 1);
    expect(body).toHaveLength(9 + 8 * fields);
    expect(decodeMessage(body, checkedBytes, 'a', 'b', 1).message).toEqual(arrived);
  }
  const timeoutNow = { kind: 'timeoutNow', ...ends } as const;
  expect(encodeMessage(timeoutNow, 0, 1)).toBeUndefined();
  const { body, checkedBytes } = bodyOf(timeoutNow);
  expect(() => decodeMessage(body, checkedBytes, 'a', 'b', 1)).toThrow('not known');
});
