import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeChunk, encodeChunk } from './chunk.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const chunk = fc.record({
  exportId: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  after: fc.option(bytes, { nil: undefined }),
  rows: fc.array(fc.record({ key: bytes, value: bytes }), { maxLength: 8 }),
  done: fc.boolean(),
});

test('a chunk comes back as it was, its rows without a copy', () => {
  fc.assert(
    fc.property(chunk, (sent) => {
      const encoded = encodeChunk(sent);
      const received = decodeChunk(encoded);
      expect(received).toEqual(sent);
      for (const { value } of received?.rows ?? []) expect(value.buffer).toBe(encoded.buffer);
    }),
  );
});

test('any flipped bit, and any length but the own, is no chunk', () => {
  const rows = [
    { key: Buffer.from('key'), value: Buffer.from('value') },
    { key: Buffer.from('other'), value: Buffer.alloc(0) },
  ];
  const whole = Buffer.from(encodeChunk({ exportId: 5, after: Buffer.from('before'), rows, done: true }));
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(decodeChunk(flipped), `bit ${bit}`).toBeUndefined();
  }
  for (let length = 0; length < whole.length; length++) expect(decodeChunk(whole.subarray(0, length))).toBeUndefined();
  expect(decodeChunk(Buffer.concat([whole, Buffer.of(0)]))).toBeUndefined();
});

test('random bytes are no chunk, and do not throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      expect(decodeChunk(noise)).toBeUndefined();
    }),
  );
});
