// A small run of the fuzzer, and proof that it would find what it looks for.
import { expect, test } from 'vitest';
import { seeded } from '../simulator/random.ts';
import { counted, sizeOf } from './allocations.ts';
import { u32 } from './draw.ts';
import { ids } from './internals.ts';
import { fuzz, targets } from './run.ts';
import { type Codec, Fault, type Target, targetOf } from './target.ts';

const perTarget = 150;
const drawnSeed = Math.floor(Math.random() * 2 ** 31);

test.each([1, drawnSeed])(
  'npm run fuzz -- --seed %i: every codec reads what it wrote, refuses the rest, and all arithmetic is as defined',
  (seed) => {
    const { counts, faults } = fuzz({ seed, from: 0, cases: perTarget * targets.length, targets });
    expect(faults).toEqual([]);
    for (const [name, { agreed, refused, accepted }] of counts)
      expect(agreed + refused + accepted, name).toBe(perTarget);
    expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
  },
  60_000,
);

test('one case has one outcome', () => {
  const once = () => fuzz({ seed: 3, from: 1_000, cases: 200, targets });
  expect(once()).toEqual(once());
});

class Refusal extends Error {}

/** Four bytes and a check byte: good as it is, and each test below breaks it in one way. */
const small: Codec<number> = {
  name: 'small',
  draw: u32,
  encode(value) {
    const bytes = Buffer.alloc(5);
    bytes.writeUInt32BE(value);
    bytes.writeUInt8(((bytes[0] ?? 0) + (bytes[1] ?? 0) + (bytes[2] ?? 0) + (bytes[3] ?? 0)) & 0xff, 4);
    return bytes;
  },
  decode(bytes) {
    if (bytes.length !== 5) return undefined;
    const value = bytes.readUInt32BE();
    if (!bytes.equals(small.encode(value))) throw new Refusal();
    return value;
  },
  refusals: [Refusal],
  sees: 'typing errors',
  canonical: true,
};

const faultOf = (codec: Codec<number>): string | undefined => {
  const target: Target = targetOf(codec);
  return fuzz({ seed: 1, from: 0, cases: 400, targets: [target] }).faults[0]?.says;
};

test('a codec that keeps its promises has no fault', () => {
  expect(faultOf(small)).toBeUndefined();
});

test.each<readonly [string, Partial<Codec<number>>, string]>([
  ['loses the highest bit', { decode: (bytes) => noBit(small.decode(bytes)) }, 'and read'],
  ['refuses what it wrote', { decode: () => undefined }, 'refuses what it wrote'],
  ['falls over', { decode: (b) => (b.readUInt8(4), small.decode(b)) }, 'ends it: RangeError'],
  ['throws what it does not own', { refusals: [] }, 'ends it'],
  ['takes a damaged value for a whole one', { decode: (b) => (b.length < 4 ? undefined : b.readUInt32BE()) }, 'takes'],
  ['believes in a length', { decode: (b) => (Buffer.alloc(b[0] === 0 ? 1e6 : 0), small.decode(b)) }, 'ask for'],
  [
    'writes over its input',
    { decode: (b) => (b.fill(1, 0, 1), small.decode(Buffer.from(b))) },
    'refuses what it wrote',
  ],
])('found: a codec that %s', (_, change, says) => {
  expect(faultOf({ ...small, ...change })).toContain(says);
});

const noBit = (value: number | undefined): number | undefined => (value === undefined ? undefined : value % 2 ** 31);

test('found: two spellings of one value, where there may be one', () => {
  const loose: Codec<number> = {
    ...small,
    decode: (bytes) => (bytes.length < 5 ? undefined : small.decode(bytes.subarray(0, 5))),
    sees: 'nothing',
  };
  expect(faultOf(loose)).toContain('which is written as');
});

test('found: arithmetic that is wrong', () => {
  const wrong: Target = {
    name: 'wrong',
    attempt: () => {
      throw new Fault('by definition');
    },
  };
  expect(fuzz({ seed: 1, from: 0, cases: 10, targets: [wrong] })).toMatchObject({
    faults: [{ target: 'wrong', at: 0, says: 'by definition' }],
  });
});

test('memory is counted, and given back to nobody else', () => {
  const before = Object.getOwnPropertyDescriptor(Buffer, 'alloc');
  expect(counted(() => Buffer.alloc(100).length + Buffer.allocUnsafe(20).length)).toEqual({
    result: 120,
    bufferBytes: 120,
  });
  expect(() =>
    counted(() => {
      throw new Refusal();
    }),
  ).toThrow(Refusal);
  expect(Object.getOwnPropertyDescriptor(Buffer, 'alloc')).toEqual(before);
  expect(sizeOf({ a: [1, 2], b: Buffer.alloc(9), c: 'four' })).toBe(1 + 3 + 9 + 4);
});

const base64url = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');

// A cyclic checksum sees an error or does not, whatever the bytes are: one handle of each kind stands for all.
test('every wrong character of a handle, and every two neighbours swapped, is seen', () => {
  const random = seeded(1);
  const ref = { epoch: u32(random), topic: 3, position: { fireAtMs: 1_700_000_000_123, seq: 987_654_321 } };
  const handles = [ids.encodeId(ref), ids.encodeCursor(ref), ids.encodeReceipt({ ...ref, group: 4, token: 12_345 })];
  for (const handle of handles) {
    const mistyped = Array.from(handle).flatMap((character, at) => [
      ...base64url.map((other) => handle.slice(0, at) + other + handle.slice(at + 1)),
      handle.slice(0, at) + handle.slice(at + 1, at + 2) + character + handle.slice(at + 2),
    ]);
    const taken = mistyped.filter((text) => ids.decodeId(text) ?? ids.decodeCursor(text) ?? ids.decodeReceipt(text));
    expect(new Set(taken)).toEqual(new Set([handle]));
  }
});
