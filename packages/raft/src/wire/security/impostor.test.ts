// Somebody else answers at the address of a member. What it says is not believed, a refusal that stops a member least of all.
import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Ends, helloOf } from '../../../test/ends.ts';
import { freePort, until } from '../../../test/real.ts';
import { securities } from '../../../test/secured.ts';
import { encodeFrame, encodeParts, type FrameKind, type FrameSealer } from '../frame.ts';
import { encodeHandshake } from '../handshake.ts';
import { createChallenge, encodeHail, SecretSession } from './secret.ts';

const ends = new Ends();
afterEach(() => ends.close());

/** Answers the first bytes of each connection with these. */
async function answering(port: number, answer: () => Buffer): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer()));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  ends.closeLater({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}

const stop = Buffer.from('stop');
const welcome = encodeHandshake({ version: 2, hello: helloOf('b') });
const challenge = encodeFrame('challenge', 1, createChallenge(), 0);
const sealedBy = (seal: FrameSealer, kind: FrameKind, body: Uint8Array): Buffer =>
  Buffer.concat(encodeParts(seal, kind, 1, body));
const guess = (): FrameSealer =>
  SecretSession.answered(
    ['a guess, as long as a secret has to be'],
    encodeHail({ from: 'a', to: 'b', lane: 'bulk' }),
    stop,
  );

test.each<[string, () => Buffer, string]>([
  ['a control frame', () => encodeFrame('control', 1, stop, 0), 'broken.handshake'],
  ['a welcome', () => encodeFrame('welcome', 1, welcome, 0), 'broken.handshake'],
  [
    'a control frame after a challenge',
    () => Buffer.concat([challenge, encodeFrame('control', 1, stop, 0)]),
    'broken.seal',
  ],
  [
    'a welcome after a challenge',
    () => Buffer.concat([challenge, encodeFrame('welcome', 1, welcome, 0)]),
    'broken.seal',
  ],
  [
    'a control frame with a seal of its own',
    () => Buffer.concat([challenge, sealedBy(guess(), 'control', stop)]),
    'broken.seal',
  ],
  [
    'a welcome with a seal of its own',
    () => Buffer.concat([challenge, sealedBy(guess(), 'welcome', welcome)]),
    'broken.seal',
  ],
  ['a second challenge', () => Buffer.concat([challenge, challenge]), 'broken.seal'],
  ['a refusal', () => encodeFrame('refusal', 1, encodeHandshake({ reason: 'secret' }), 0), 'refusedByPeer'],
])('%s of who does not know the secret is not believed', async (_, answer, count) => {
  const port = await freePort();
  await answering(port, answer);
  const a = await ends.open('a', await freePort(), new Map([['b', port]]), { security: securities.secret('a') });
  await until(() => (a.transport.counts.get(count) ?? 0) >= 3);
  expect([a.ups, a.controls, a.transport.connectedPeers()]).toEqual([[], [], []]);
});
