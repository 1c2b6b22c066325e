import { expect, test } from 'vitest';
import { BrokenFrame, encodeParts, FrameReader } from '../frame.ts';
import { createChallenge, encodeHail, SecretSession } from './secret.ts';

const secret = 'a secret of thirty-two bytes, at least';
const other = 'another one of thirty-two bytes, at least';
const hail = encodeHail({ from: 'a', to: 'b', lane: 'bulk' });
const challenge = createChallenge();
const bytes = (text: string): Buffer => Buffer.from(text);

const dialled = (): SecretSession => SecretSession.dialled(secret, hail, challenge);
const frameOf = (session: SecretSession, text: string): Buffer =>
  Buffer.concat(encodeParts(session, 'message', 1, bytes('head'), [bytes(text)], text.length));

function readerOf(session: SecretSession): FrameReader {
  const reader = new FrameReader(1, 100);
  reader.seal = session;
  return reader;
}

function read(reader: FrameReader, stream: Buffer): string[] {
  return [...reader.read(stream)].map(({ kind, body, checkedBytes }) => `${kind} ${checkedBytes} ${body.toString()}`);
}

const answered = (accepted = [secret]): FrameReader => readerOf(SecretSession.answered(accepted, hail, challenge));

test('sealed frames come out as they went in, in both directions', () => {
  const [one, two] = [dialled(), SecretSession.answered([secret], hail, challenge)];
  const [oneHears, twoHears] = [readerOf(one), readerOf(two)];
  expect(read(twoHears, Buffer.concat([frameOf(one, ' first'), frameOf(one, '')]))).toEqual([
    'message 4 head first',
    'message 4 head',
  ]);
  expect(read(oneHears, frameOf(two, ' back'))).toEqual(['message 4 head back']);
});

test('the largest body that is allowed may carry a seal, and a larger one may not', () => {
  expect(read(answered(), frameOf(dialled(), 'x'.repeat(96)))).toHaveLength(1);
  expect(() => read(answered(), frameOf(dialled(), 'x'.repeat(97)))).toThrow(new BrokenFrame('size'));
});

test('any flipped bit of a sealed frame is refused, those of entries too', () => {
  const frame = frameOf(dialled(), ' and entries');
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const flipped = Buffer.from(frame);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const reader = answered();
    // A larger length is not wrong yet: the reader waits for more.
    reader.maxBodyBytes = 2 ** 33;
    let frames = 0;
    try {
      frames = read(reader, flipped).length;
    } catch (error) {
      expect(error).toBeInstanceOf(BrokenFrame);
    }
    expect(frames, `bit ${bit}`).toBe(0);
  }
});

test.each<[string, () => readonly [FrameReader, Buffer]]>([
  [
    'sent again',
    () => {
      const frame = frameOf(dialled(), '');
      const reader = answered();
      read(reader, frame);
      return [reader, frame];
    },
  ],
  [
    'whose predecessor was left out',
    () => {
      const session = dialled();
      frameOf(session, 'first');
      return [answered(), frameOf(session, 'second')];
    },
  ],
  ['sent back to its sender', () => [readerOf(dialled()), frameOf(dialled(), '')]],
  ['without a seal', () => [answered(), Buffer.concat(encodeParts(undefined, 'message', 1, bytes('head')))]],
  ['of who knows another secret', () => [answered([other]), frameOf(dialled(), '')]],
  [
    'of another connection: its challenge is another one',
    () => [readerOf(SecretSession.answered([secret], hail, createChallenge())), frameOf(dialled(), '')],
  ],
  [
    'of another connection: its hail is another one',
    () => {
      const again = encodeHail({ from: 'a', to: 'b', lane: 'bulk' });
      expect(again).not.toEqual(hail);
      return [readerOf(SecretSession.answered([secret], again, challenge)), frameOf(dialled(), '')];
    },
  ],
])('a frame %s is refused', (_, make) => {
  const [reader, frame] = make();
  expect(() => read(reader, frame)).toThrow(new BrokenFrame('seal'));
});

test('while a secret is changed both are accepted, and each connection keeps to the one it began with', () => {
  const session = SecretSession.answered([other, secret], hail, challenge);
  const reader = readerOf(session);
  const one = dialled();
  expect(read(reader, frameOf(one, ''))).toEqual(['message 4 head']);
  // The answer is sealed with the secret that the other end knows.
  expect(read(readerOf(one), frameOf(session, ''))).toEqual(['message 4 head']);
  const withOther = SecretSession.dialled(other, hail, challenge);
  frameOf(withOther, '');
  expect(() => read(reader, frameOf(withOther, ''))).toThrow(new BrokenFrame('seal'));
});
