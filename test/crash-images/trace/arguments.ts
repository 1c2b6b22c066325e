// What stands between the brackets of a call: descriptors with what they name, strings as \x61\x62, and numbers.

export interface Descriptor {
  readonly fd: number;
  /** A path, or TCP:[127.0.0.1:7401->127.0.0.1:50924]; empty when strace names nothing. */
  readonly names: string;
}

const quote = 0x22;

/** The first argument as a descriptor: 20<\x2f\x74> or 24<TCP:[...]>. */
export function descriptorOf(text: Buffer): Descriptor | undefined {
  const head = text.toString('latin1', 0, Math.min(text.length, 4_096));
  const found = /^(\d+|AT_FDCWD)(?:<((?:\\x[0-9a-f]{2})+|[A-Z][^>]*->[^>]*|[^>]*)>)?/.exec(head);
  if (found === null) return undefined;
  const [, fd = '', names = ''] = found;
  return { fd: fd === 'AT_FDCWD' ? -100 : Number(fd), names: names.startsWith('\\x') ? plain(names) : names };
}

function plain(escaped: string): string {
  return Buffer.from(escaped.replaceAll('\\x', ''), 'hex').toString();
}

/** Every string of the call, in their order. @throws when strace cut one */
export function stringsOf(text: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  for (let from = text.indexOf(quote); from !== -1; from = text.indexOf(quote, from)) {
    const to = text.indexOf(quote, from + 1);
    if (to === -1 || text[to + 1] === 0x2e) throw new Error('a string of the record is cut');
    strings.push(bytesOf(text, from + 1, to));
    from = to + 1;
  }
  return strings;
}

/** The last number before the end: the offset of a pwrite64, the length of an ftruncate. */
export function lastNumberOf(text: Buffer): number {
  return Number(/(-?\d+)\s*$/.exec(text.toString('latin1', Math.max(0, text.length - 40)))?.[1] ?? Number.NaN);
}

const digits = new Uint8Array(256);
for (let value = 0; value < 16; value++) digits[value.toString(16).charCodeAt(0)] = value;

function bytesOf(text: Buffer, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow((to - from) / 4);
  for (let i = 0, at = from; i < bytes.length; i++, at += 4) {
    bytes[i] = ((digits[text[at + 2] ?? 0] ?? 0) << 4) | (digits[text[at + 3] ?? 0] ?? 0);
  }
  return bytes;
}
