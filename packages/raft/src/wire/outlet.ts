// The sending side of one established connection: bounded, batched, and aware of when nothing moves any more.
//
// The stream says that bytes have left only when all that it was handed at once has left. So it gets them by the piece:
// otherwise one large append over a slow link would look like a link that is dead.
import type { Writable } from 'node:stream';
import type { Clock } from '../driver/clock.ts';
import { wireBounds } from './bounds.ts';

/** Parts that were sent are let go of in batches of so many; moving the rest for each would cost its square. */
const maxSentParts = 1024;

export class Outlet {
  readonly #socket: Writable;
  readonly #clock: Clock;
  readonly #maxQueueBytes: number;
  readonly #parts: Uint8Array[] = [];
  /** The first part that the socket has not been handed. */
  #next = 0;
  /** Those of the parts, and those that the socket has and did not get rid of yet. */
  #queuedBytes = 0;
  #pieceBytes = 0;
  #isBusy = false;
  #progressAtMs = 0;

  constructor(socket: Writable, clock: Clock, maxQueueBytes: number) {
    this.#socket = socket;
    this.#clock = clock;
    this.#maxQueueBytes = maxQueueBytes;
  }

  /** Bytes wait, and the other end has taken none for too long: it is gone without a word. */
  get isStalled(): boolean {
    return this.#queuedBytes > 0 && this.#clock.monotonicMs() - this.#progressAtMs > wireBounds.stallMs;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#queuedBytes + bytes <= this.#maxQueueBytes;
  }

  /** Writes a frame in one or more parts, none of which is copied. Everything of one go leaves together. */
  write(first: Uint8Array, rest: readonly Uint8Array[]): void {
    if (this.#queuedBytes === 0) this.#progressAtMs = this.#clock.monotonicMs();
    this.#add(first);
    for (const part of rest) this.#add(part);
    if (this.#isBusy) return;
    this.#isBusy = true;
    process.nextTick(this.#sendPiece);
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#queuedBytes += part.length;
  }

  /** One system call, unless the other end is slow. */
  readonly #sendPiece = (): void => {
    if (this.#socket.destroyed) return;
    this.#pieceBytes = 0;
    this.#socket.cork();
    while (this.#next < this.#parts.length && this.#pieceBytes < wireBounds.maxPieceBytes) {
      const part = this.#take(wireBounds.maxPieceBytes - this.#pieceBytes);
      this.#pieceBytes += part.length;
      const isLast = this.#next === this.#parts.length || this.#pieceBytes === wireBounds.maxPieceBytes;
      if (isLast) this.#socket.write(part, this.#onSent);
      else this.#socket.write(part);
    }
    this.#socket.uncork();
    this.#letGo();
  };

  readonly #onSent = (error?: Error | null): void => {
    if (error) return;
    this.#queuedBytes -= this.#pieceBytes;
    this.#progressAtMs = this.#clock.monotonicMs();
    if (this.#next < this.#parts.length) this.#sendPiece();
    else this.#isBusy = false;
  };

  /** The next part, or as much of it as is wanted. */
  #take(maxBytes: number): Uint8Array {
    const part = this.#parts[this.#next] ?? new Uint8Array();
    if (part.length <= maxBytes) {
      this.#next += 1;
      return part;
    }
    this.#parts[this.#next] = part.subarray(maxBytes);
    return part.subarray(0, maxBytes);
  }

  #letGo(): void {
    if (this.#next < this.#parts.length && this.#next < maxSentParts) return;
    this.#parts.splice(0, this.#next);
    this.#next = 0;
  }
}
