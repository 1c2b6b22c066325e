import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokenFrame, encodeFrame, type Frame, FrameReader } from './frame.ts';

const group = 7;
const frameHeadBytes = 20;
const bytes = (text: string): Buffer => Buffer.from(text);

function readAll(reader: FrameReader, chunks: readonly Buffer[]): string[] {
  const found: Frame[] = [];
  for (const chunk of chunks) found.push(...reader.read(chunk));
  return found.map(({ kind, body, checkedBytes }) => `${kind} ${checkedBytes} ${body.toString()}`);
}

test('frames come out as they went in, however the stream is cut', () => {
  const frames = [
    encodeFrame('message', group, bytes('head'), 4),
    bytes('rest'),
    encodeFrame('control', group, bytes(''), 0),
  ];
  const stream = Buffer.concat([...frames, encodeFrame('greeting', group, bytes('hello'), 0)]);
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), stream.length];
      const chunks = at.slice(1).map((end, i) => stream.subarray(at[i], end));
      const reader = new FrameReader(group, 100);
      expect(readAll(reader, chunks)).toEqual(['message 4 headrest', 'control 0 ', 'greeting 5 hello']);
      expect(reader.isInsideFrame).toBe(false);
    }),
  );
});

test('a body that is too large breaks the connection when its head is here, before a byte of it is kept', () => {
  const frame = encodeFrame('message', group, bytes('x'), 2 ** 31);
  const reader = new FrameReader(group, 100);
  expect(() => readAll(reader, [frame.subarray(0)])).toThrow(new BrokenFrame('size'));
});

/** A larger length is not wrong yet: the reader waits for more. */
function framesIn(stream: Buffer): number {
  try {
    return readAll(new FrameReader(group, 2 ** 33), [stream]).length;
  } catch (error) {
    if (error instanceof BrokenFrame) return 0;
    throw error;
  }
}

test('any flipped bit of head or checked part is refused', () => {
  const frame = Buffer.concat([encodeFrame('message', group, bytes('head'), 4), bytes('rest')]);
  const end = frameHeadBytes + 4;
  for (let bit = 0; bit < end * 8; bit++) {
    const flipped = Buffer.from(frame);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(framesIn(flipped), `bit ${bit}`).toBe(0);
  }
});

test.each([
  ['magic', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['magic', Buffer.from('H')],
  ['group', encodeFrame('message', 8, bytes('x'), 0)],
  ['kind', Buffer.concat([Buffer.from([0x48, 0x46, 1, 99]), Buffer.alloc(16)])],
  ['format', Buffer.concat([Buffer.from([0x48, 0x46, 2, 0]), Buffer.alloc(16)])],
] as const)('what is no frame of ours is refused: %s', (reason, chunk) => {
  const more = reason === 'magic' && chunk.length === 1 ? Buffer.from('X') : Buffer.alloc(0);
  expect(() => readAll(new FrameReader(group, 100), [chunk, more])).toThrow(new BrokenFrame(reason));
});
