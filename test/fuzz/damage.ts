// What happens to bytes on their way, and what a stranger sends.
import type { Random } from '../simulator/random.ts';

/** `flip`: one bit, which every checksum must see. */
export type DamageKind = 'flip' | 'cut' | 'many' | 'longer' | 'inflated' | 'noise';
export const damageKinds: readonly DamageKind[] = ['flip', 'cut', 'many', 'longer', 'inflated', 'noise'];

const flip = (bytes: Buffer, bit: number): void => {
  bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
};

/** What numbers of lengths and counts are made to say. */
const extremes = [0, 1, 0x7f, 0x80, 0xff];

export function damage(random: Random, kind: DamageKind, whole: Uint8Array): Buffer {
  const bytes = Buffer.from(whole);
  switch (kind) {
    case 'flip':
      if (bytes.length > 0) flip(bytes, random.int(0, 8 * bytes.length - 1));
      return bytes;
    case 'cut':
      return bytes.subarray(0, random.int(0, Math.max(0, bytes.length - 1)));
    case 'many':
      for (let left = bytes.length > 0 ? random.int(2, 20) : 0; left > 0; left--)
        flip(bytes, random.int(0, 8 * bytes.length - 1));
      return bytes;
    case 'longer':
      return Buffer.concat([bytes, random.bytes(random.int(1, 40))]);
    case 'inflated': {
      const at = random.int(0, Math.max(0, bytes.length - 1));
      return bytes.fill(random.pick(extremes), at, Math.min(bytes.length, at + random.pick([1, 2, 4, 8])));
    }
    case 'noise':
      return Buffer.from(random.bytes(random.int(0, 200)));
    default:
      return kind satisfies never;
  }
}
