// Random values, with the edges of every type more often than chance would have them.
import type { Random } from '../simulator/random.ts';

export interface DrawnPosition {
  readonly fireAtMs: number;
  readonly seq: number;
}

function upTo(random: Random, largest: number): number {
  const kind = random.next();
  if (kind < 0.1) return 0;
  if (kind < 0.2) return largest;
  if (kind < 0.3) return Math.min(1, largest);
  if (kind < 0.6) return Math.min(random.int(0, 300), largest);
  return Math.floor(random.next() * largest);
}

export const u8 = (random: Random): number => upTo(random, 0xff);
export const u32 = (random: Random): number => upTo(random, 2 ** 32 - 1);
export const u48 = (random: Random): number => upTo(random, 2 ** 48 - 1);
export const safe = (random: Random): number => upTo(random, Number.MAX_SAFE_INTEGER);
export const atLeastOne = (random: Random, largest: number): number => Math.max(1, upTo(random, largest));
export const truth = (random: Random): boolean => random.chance(0.5);
export const position = (random: Random): DrawnPosition => ({ fireAtMs: u48(random), seq: u48(random) });
export const bytes = (random: Random, most = 60): Buffer => Buffer.from(random.bytes(upTo(random, most)));
export const list = <T>(random: Random, most: number, draw: () => T): T[] =>
  Array.from({ length: random.int(0, most) }, draw);
export const maybe = <T>(random: Random, draw: () => T): T | undefined => (truth(random) ? draw() : undefined);

const alphabet = ['a', 'Z', '0', '_', '-', '.', '"', '\\', '\n', '\u0000', 'é', '漢', '\u{1f600}', '\u2028', '\u007f'];
export const text = (random: Random, least: number, most: number): string => {
  let drawn = '';
  for (let left = random.int(least, most); left > 0; left--) drawn += random.pick(alphabet);
  return drawn;
};

/** What a node may be called: a letter or a digit comes first. The last ones mean something to JavaScript. */
const names = ['n1', 'n2', 'n3', 'a', '0', 'a.b-c_d', 'A'.repeat(64), 'constructor', 'toString', 'hasOwnProperty'];
export const nodeId = (random: Random): string => random.pick(names);
export const nodeIds = (random: Random): string[] => [
  ...new Set(Array.from({ length: random.int(1, 5) }, () => nodeId(random))),
];
