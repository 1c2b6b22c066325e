// Two members show each other that they know the same secret, without saying it:
//
//   who dials    hail       its nonce, both names, the lane
//   who listens  challenge  its nonce
//   who dials    greeting   sealed: the proof of the one
//   who listens  welcome    sealed: the proof of the other
//
// Both derive one key for each direction from the secret and from every byte of hail and challenge. Both nonces are in it,
// so nothing that was recorded fits another connection; names, lane and direction are in it, so nothing can be sent back
// to its sender or to a third. Nothing but hail and challenge is looked at before its seal was found to be right, and
// every later frame carries one (seal.ts). What is sent is not encrypted.
//
// Who dials proves first: whoever merely connects to a member learns nothing that he could try secrets on.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { NodeId } from '../../core/message.ts';
import { isObject, parseJson } from '../../untrusted-json.ts';
import type { FrameOpener, FrameSealer } from '../frame.ts';
import type { LaneName } from '../handshake.ts';
import { Seal, tagBytes } from './seal.ts';

const nonceBytes = 32;

/** Names are believed only when the greeting, whose key they are part of, says the same. */
export interface Hail {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly lane: LaneName;
}

export function encodeHail(hail: Hail): Buffer {
  return Buffer.from(JSON.stringify({ ...hail, nonce: randomBytes(nonceBytes).toString('base64') }));
}

/** The hail, or undefined when the bytes hold none. */
export function decodeHail(body: Buffer): Hail | undefined {
  const value = parseJson(body);
  if (!isObject(value)) return undefined;
  const { from, to, lane }: Readonly<Partial<Record<keyof Hail, unknown>>> = value;
  if (typeof from !== 'string' || typeof to !== 'string' || (lane !== 'control' && lane !== 'bulk')) return undefined;
  return { from, to, lane };
}

export const createChallenge = (): Buffer => randomBytes(nonceBytes);

interface Keys {
  readonly incoming: Seal;
  readonly outgoing: Seal;
}

/** What the two ends of one connection have agreed on. */
export class SecretSession implements FrameOpener, FrameSealer {
  readonly tagBytes = tagBytes;
  /** One for each secret that may be the other end's, until its first frame shows which it is. */
  #candidates: readonly Keys[];

  private constructor(candidates: readonly Keys[]) {
    this.#candidates = candidates;
  }

  static dialled(secret: string, hail: Uint8Array, challenge: Uint8Array): SecretSession {
    return new SecretSession([
      {
        outgoing: new Seal(keyOf(secret, 'from dialler', hail, challenge)),
        incoming: new Seal(keyOf(secret, 'from listener', hail, challenge)),
      },
    ]);
  }

  static answered(accepted: readonly string[], hail: Uint8Array, challenge: Uint8Array): SecretSession {
    return new SecretSession(
      accepted.map((secret) => ({
        outgoing: new Seal(keyOf(secret, 'from listener', hail, challenge)),
        incoming: new Seal(keyOf(secret, 'from dialler', hail, challenge)),
      })),
    );
  }

  open(head: Uint8Array, body: Buffer): Buffer | undefined {
    if (body.length < tagBytes) return undefined;
    const content = body.subarray(0, -tagBytes);
    const tag = body.subarray(-tagBytes);
    const fitting = this.#candidates.filter(({ incoming }) => timingSafeEqual(incoming.next([head, content]), tag));
    if (fitting.length === 0) return undefined;
    this.#candidates = fitting.slice(0, 1);
    return content;
  }

  /** Of the next frame. The first one of who listens comes after one that it has opened. */
  tag(parts: readonly Uint8Array[]): Uint8Array {
    const [keys] = this.#candidates;
    return keys === undefined ? new Uint8Array(tagBytes) : keys.outgoing.next(parts);
  }
}

function keyOf(secret: string, direction: string, hail: Uint8Array, challenge: Uint8Array): Buffer {
  const mac = createHmac('sha256', secret);
  for (const part of [Buffer.from('holdfast peer 1'), Buffer.from(direction), hail, challenge]) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    mac.update(length).update(part);
  }
  return mac.digest();
}
