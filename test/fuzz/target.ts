// What is tried: a codec, or a piece of arithmetic beside its definition. One case is one seed.
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../simulator/random.ts';
import { counted, sizeOf } from './allocations.ts';
import { type DamageKind, damage, damageKinds } from './damage.ts';

/** `accepted`: damaged bytes that are a value of their own, where no checksum forbids it. */
export type Tried = 'agreed' | 'refused' | 'accepted';

export interface Target {
  readonly name: string;
  /** @throws Fault */
  attempt(random: Random): Tried;
}

/** Something is wrong with what was tried. */
export class Fault extends Error {
  override readonly name = 'Fault';
}

export interface Codec<Value> {
  readonly name: string;
  readonly draw: (random: Random) => Value;
  readonly encode: (value: Value) => Uint8Array;
  /** Undefined when it refuses by answering so. */
  readonly decode: (bytes: Buffer) => Value | undefined;
  /** What it may throw to refuse. */
  readonly refusals?: readonly (abstract new (
    ...args: never
  ) => Error)[];
  /**
   * What a checksum within the bytes must see: nothing, one flipped bit and whatever was cut off, or every damage (32
   * bits: that a million cases meet a coincidence is one in thousands).
   */
  readonly sees: 'nothing' | 'typing errors' | 'everything';
  /** Equal values have equal bytes, so that bytes which are read are also written so. */
  readonly canonical: boolean;
  /** Buffers that may be asked for whatever the input is. */
  readonly fixedBufferBytes?: number;
}

const bufferFactor = 2;
const valueFactor = 16;
const valueSlack = 128;

export function targetOf<Value>(codec: Codec<Value>): Target {
  return {
    name: codec.name,
    attempt(random) {
      const value = codec.draw(random);
      const bytes = codec.encode(value);
      if (random.chance(0.3)) return roundTrip(codec, value, bytes);
      const kind = random.pick(damageKinds);
      return broken(codec, kind, damage(random, kind, bytes), bytes);
    },
  };
}

function roundTrip<Value>(codec: Codec<Value>, value: Value, bytes: Uint8Array): Tried {
  const before = Buffer.from(bytes);
  const read = decoded(codec, Buffer.from(bytes));
  if (read === undefined) throw new Fault(`refuses what it wrote: ${hex(bytes)}`);
  if (!same(read, value)) throw new Fault(`wrote ${show(value)} and read ${show(read)}`);
  if (!before.equals(bytes)) throw new Fault(`changed the bytes that it read: ${hex(before)}`);
  if (codec.canonical && !before.equals(codec.encode(read)))
    throw new Fault(`writes what it read in another way: ${hex(before)}`);
  return 'agreed';
}

function broken<Value>(codec: Codec<Value>, kind: DamageKind, bytes: Buffer, original: Uint8Array): Tried {
  const read = decoded(codec, bytes);
  if (read === undefined) return 'refused';
  if (bytes.equals(original)) return 'agreed';
  const mustSee =
    codec.sees === 'everything' || (codec.sees === 'typing errors' && (kind === 'flip' || kind === 'cut'));
  if (mustSee) throw new Fault(`${kind}: takes ${hex(bytes)}, which was ${hex(original)}, for ${show(read)}`);
  const again = codec.encode(read);
  if (codec.canonical && !bytes.equals(again))
    throw new Fault(`${kind}: takes ${hex(bytes)} for ${show(read)}, which is written as ${hex(again)}`);
  const twice = codec.decode(Buffer.from(again));
  if (!same(twice, read)) throw new Fault(`${kind}: read ${show(read)}, wrote it, and read ${show(twice)}`);
  return 'accepted';
}

/** @returns undefined when it was refused. @throws Fault for any other way to end, and for memory that nothing justifies */
export function decoded<Value>(
  codec: Pick<Codec<Value>, 'decode' | 'refusals' | 'fixedBufferBytes'>,
  bytes: Buffer,
): Value | undefined {
  const { result, bufferBytes } = counted(() => {
    try {
      return codec.decode(bytes);
    } catch (error) {
      if (codec.refusals?.some((refusal) => error instanceof refusal) === true) return undefined;
      throw new Fault(
        `${hex(bytes)} ends it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  });
  if (bufferBytes > (codec.fixedBufferBytes ?? 0) + bufferFactor * bytes.length + valueSlack)
    throw new Fault(`${bytes.length} bytes made it ask for ${bufferBytes}: ${hex(bytes)}`);
  const size = sizeOf(result);
  if (size > valueFactor * bytes.length + valueSlack)
    throw new Fault(`${bytes.length} bytes became a value of ${size}: ${hex(bytes)}`);
  return result;
}

/** Equal, whatever kind of array the bytes stand in. */
const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(plain(a), plain(b));

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  // Entries, and not an object: a name may be one that objects have already.
  const parts = Object.entries(value).filter(([, part]) => part !== undefined);
  return new Map(parts.map(([name, part]) => [name, plain(part)]));
}

const shownCharacters = 600;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').slice(0, shownCharacters);
const show = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? `<${hex(part)}>` : part))?.slice(
    0,
    shownCharacters,
  ) ?? 'undefined';
