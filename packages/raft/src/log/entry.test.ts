import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptEntry, decodeEntry, encodeEntry } from './entry.ts';
import { decodePayload, encodePayload } from './payload.ts';

const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 60 });

test('an entry comes back as it was encoded, without a copy', () => {
  fc.assert(
    fc.property(positive, positive, bytes, (index, term, payload) => {
      const entry = encodeEntry(index, term, 'commands', payload);
      const again = decodeEntry(entry.bytes);
      expect(again).toEqual({ ...entry, payload: Buffer.from(payload) });
      expect(again.payload.buffer).toBe(entry.bytes.buffer);
    }),
  );
});

test('any flipped bit, and any length but the own, is a corrupt entry', () => {
  const { bytes: whole } = encodeEntry(7, 3, 'commands', Buffer.from('payload'));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(() => decodeEntry(flipped), `bit ${bit}`).toThrow(CorruptEntry);
  }
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodeEntry(whole.subarray(0, length)), `${length} bytes`).toThrow(CorruptEntry);
  }
  expect(() => decodeEntry(Buffer.concat([whole, Buffer.of(0)]))).toThrow(CorruptEntry);
});

test('an index or a term that is none is refused by the encoder, too', () => {
  for (const wrong of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
    expect(() => encodeEntry(wrong, 1, 'empty', Buffer.alloc(0))).toThrow();
    expect(() => encodeEntry(1, wrong, 'empty', Buffer.alloc(0))).toThrow();
  }
});

test('a payload comes back as header and commands', () => {
  fc.assert(
    fc.property(bytes, fc.array(bytes, { maxLength: 10 }), (header, commands) => {
      const payload = decodePayload(encodePayload({ header, commands }));
      expect(Uint8Array.from(payload.header)).toEqual(header);
      expect(payload.commands.map((command) => Uint8Array.from(command))).toEqual(commands);
    }),
  );
});

test('a payload whose lengths do not add up is a corrupt entry', () => {
  const whole = encodePayload({ header: Buffer.from('h'), commands: [Buffer.from('one'), Buffer.from('two')] });
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodePayload(whole.subarray(0, length)), `${length} bytes`).toThrow(CorruptEntry);
  }
  expect(() => decodePayload(Buffer.concat([whole, Buffer.of(0)]))).toThrow(CorruptEntry);
});
