// Vouches for the frames of one direction of one connection: each is followed by a tag over its place in the stream and
// all of its bytes. So none can be changed, left out, sent again or carried to another connection.
import { createHmac } from 'node:crypto';
import { writeSafeInteger } from '../../log/safe-integer.ts';

export const tagBytes = 32;

export class Seal {
  readonly #key: Buffer;
  readonly #place = Buffer.alloc(8);
  #frames = 0;

  /** @param key known to the two ends alone, and used for this direction of this connection alone */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** The tag of the next frame, which consists of these parts. */
  next(parts: readonly Uint8Array[]): Buffer {
    writeSafeInteger(this.#place, this.#frames, 0);
    this.#frames += 1;
    const mac = createHmac('sha256', this.#key).update(this.#place);
    for (const part of parts) mac.update(part);
    return mac.digest();
  }
}
