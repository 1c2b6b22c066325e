// Chance, by seed. Streams are forked by name, so that drawing once more in one place changes nothing in another.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** An integer in [from, to]. */
  int(from: number, to: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** Exponential with this mean: what is memoryless in nature. */
  exponential(mean: number): number;
  bytes(count: number): Uint8Array;
  /** A stream of its own. */
  fork(name: string): Random;
}

/** A 32-bit hash with good diffusion; for seeds and trace hashes, not for secrets. */
export function mix(hash: number, value: number): number {
  let h = Math.imul(hash ^ value, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

export function mixText(hash: number, text: string): number {
  let h = mix(hash, text.length);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h, 0x5bd1e995);
}

/** Four words of state, shifted and added: passes what a simulator needs, and is fast in 32-bit arithmetic. */
export function seeded(seed: number): Random {
  let a = mix(seed >>> 0, 0x243f6a88);
  let b = mix(a ^ Math.floor(seed / 2 ** 32), 0x85a308d3);
  let c = mix(b, 0x13198a2e);
  let count = mix(c, 0x03707344);

  function word(): number {
    const sum = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  }
  for (let i = 0; i < 12; i++) word();

  const random: Random = {
    next: () => word() / 2 ** 32,
    int: (from, to) => from + Math.floor((word() / 2 ** 32) * (to - from + 1)),
    chance: (probability) => word() / 2 ** 32 < probability,
    pick<T>(items: readonly T[]): T {
      const item = items[random.int(0, items.length - 1)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    exponential: (mean) => -mean * Math.log(1 - word() / 2 ** 32),
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let i = 0; i < count; i++) bytes[i] = word() & 0xff;
      return bytes;
    },
    fork: (name) => seeded(mixText(seed >>> 0, name) + Math.floor(seed / 2 ** 32)),
  };
  return random;
}
