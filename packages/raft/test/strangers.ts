// What somebody who is no member can do at a peer port. Each attack ends when the member has ended its connection.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { FrameReader } from '../src/wire/frame.ts';
import { encodeFrame, encodeParts, FrameReader as Reader } from '../src/wire/frame.ts';
import { encodeHandshake } from '../src/wire/handshake.ts';
import { encodeHail, SecretSession } from '../src/wire/security/secret.ts';
import type { Hello } from '../src/wire/transport.ts';
import { createAuthority } from './certificates.ts';
import { authority, secret, tlsOf } from './secured.ts';

export interface Target {
  readonly port: number;
  readonly id: string;
  /** Another member, whose name the stranger takes. */
  readonly other: string;
  /** All that a real connection from that one has said. */
  readonly recorded: () => readonly Buffer[];
  readonly random: () => number;
}

export type Attack = (target: Target) => Promise<void>;

const helloOf = (id: string): Hello => ({
  clusterId: undefined,
  id,
  members: [],
  incarnation: 'of a stranger',
  bootId: 'of a stranger',
  lastDurableIndex: 2 ** 40,
  versions: [1, 2],
});

const greetingOf = (to: string, from: string): Uint8Array =>
  encodeHandshake({ version: 1, lane: 'control', to, hello: helloOf(from) });

/** Says this much at once, nothing after it, and waits for the end. */
async function say(port: number, bytes: Buffer): Promise<void> {
  await over(connect({ host: '127.0.0.1', port }), (socket) => socket.write(bytes));
}

function over(socket: Socket, speak: (socket: Socket) => void): Promise<void> {
  socket.on('error', () => undefined);
  speak(socket);
  socket.resume();
  return new Promise((resolve) => {
    socket.on('close', () => resolve());
  });
}

function chance(bytes: number, random: () => number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
}

/** Without knowing anything. */
export const blind: Readonly<Record<string, Attack>> = {
  'random bytes': ({ port, random }) => say(port, chance(1 + Math.floor(random() * 3000), random)),
  'random bytes in a frame': ({ port, random }) => say(port, encodeFrame('greeting', 1, chance(500, random), 0)),
  'a head that says the rest is huge': ({ port }) => say(port, encodeFrame('greeting', 1, Buffer.alloc(0), 2 ** 31)),
  'a head whose body does not come': ({ port }) => say(port, encodeFrame('greeting', 1, Buffer.alloc(0), 4096)),
  'a JSON that is deep': ({ port }) => say(port, encodeFrame('greeting', 1, Buffer.from('['.repeat(4000)), 0)),
  'a control frame': ({ port }) => say(port, encodeFrame('control', 1, Buffer.from('{"kind":"refusal"}'), 0)),
  nothing: ({ port }) => say(port, Buffer.alloc(0)),
  'a byte now and then': ({ port, other, id }) =>
    over(connect({ host: '127.0.0.1', port }), (socket) => {
      const frame = encodeFrame('greeting', 1, greetingOf(id, other), 0);
      let at = 0;
      const timer = setInterval(() => socket.write(frame.subarray(at, ++at)), 5);
      socket.on('close', () => clearInterval(timer));
    }),
};

/** More idle connections than are borne at a time; ends when the last of them has ended. */
export async function flood({ port }: Target): Promise<void> {
  await Promise.all(Array.from({ length: 200 }, () => say(port, Buffer.alloc(0))));
}

/** Knowing the names, and what was said before. */
export const informed: Readonly<Record<string, Attack>> = {
  'the greeting of a member': ({ port, id, other }) => say(port, encodeFrame('greeting', 1, greetingOf(id, other), 0)),
  'a recorded connection': ({ port, recorded }) => say(port, Buffer.concat(recorded())),
};

/** Answers the challenge as somebody who knows this secret, and then greets under this name. */
const hailAs =
  (hailed: (target: Target) => string, greeted: (target: Target) => string, known: string): Attack =>
  (target) =>
    over(connect({ host: '127.0.0.1', port: target.port }), (socket) => {
      const hail = encodeHail({ from: hailed(target), to: target.id, lane: 'control' });
      const reader: FrameReader = new Reader(1, 4096);
      socket.write(encodeFrame('hail', 1, hail, 0));
      socket.on('data', (chunk) => {
        for (const { kind, body } of reader.read(chunk)) {
          if (kind !== 'challenge') return;
          const session = SecretSession.dialled(known, hail, body);
          for (const part of encodeParts(session, 'greeting', 1, greetingOf(target.id, greeted(target)))) {
            socket.write(part);
          }
        }
      });
    });

export const atSecret: Readonly<Record<string, Attack>> = {
  'a hail alone': ({ port, id, other }) =>
    say(port, encodeFrame('hail', 1, encodeHail({ from: other, to: id, lane: 'control' }), 0)),
  'a hail and a greeting without a seal': ({ port, id, other }) => {
    const hail = encodeFrame('hail', 1, encodeHail({ from: other, to: id, lane: 'control' }), 0);
    return say(port, Buffer.concat([hail, encodeFrame('greeting', 1, greetingOf(id, other), 0)]));
  },
  'a guessed secret': hailAs(
    ({ other }) => other,
    ({ other }) => other,
    'a guess, as long as a secret has to be',
  ),
  'the secret under a name that no member has': hailAs(
    () => 'nobody',
    () => 'nobody',
    secret,
  ),
  'the secret under two names': hailAs(
    ({ other }) => other,
    ({ id }) => id,
    secret,
  ),
};

const elsewhere = createAuthority('an authority elsewhere');
const withPem =
  (make: (target: Target) => { readonly key: string; readonly cert: string } | undefined): Attack =>
  (target) => {
    const pem = make(target);
    const { id, port, other } = target;
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      ca: authority.cert,
      checkServerIdentity: () => undefined,
      ...pem,
    });
    return over(socket, () =>
      socket.on('secureConnect', () => socket.write(encodeFrame('greeting', 1, greetingOf(id, other), 0))),
    );
  };

export const atTls: Readonly<Record<string, Attack>> = {
  'no certificate': withPem(() => undefined),
  'a certificate of another authority': withPem(({ other }) => elsewhere.issue({ name: other, dnsNames: [other] })),
  'a certificate of somebody else': withPem(() => authority.issue({ name: 'web', dnsNames: ['web'] })),
  'a certificate of another member': withPem(({ id }) => tlsOf(id)),
  'a certificate that has run out': withPem(({ other }) =>
    authority.issue({ name: other, dnsNames: [other], notAfter: new Date(Date.now() - 1000) }),
  ),
  'an older TLS': ({ port }) =>
    over(connectTls({ host: '127.0.0.1', port, maxVersion: 'TLSv1.2', rejectUnauthorized: false }), () => undefined),
};
