// The sending side of one established connection: bounded, batched, and aware of when nothing moves any more.
import type { Socket } from 'node:net';
import type { Clock } from '../driver/clock.ts';
import { wireBounds } from './bounds.ts';

export class Outlet {
  readonly socket: Socket;
  readonly #clock: Clock;
  readonly #maxQueueBytes: number;
  #unsentFrames = 0;
  #progressAtMs = 0;
  #isCorked = false;

  constructor(socket: Socket, clock: Clock, maxQueueBytes: number) {
    this.socket = socket;
    this.#clock = clock;
    this.#maxQueueBytes = maxQueueBytes;
  }

  /** Bytes wait, and the other end has taken none for too long: it is gone without a word. */
  get isStalled(): boolean {
    return this.#unsentFrames > 0 && this.#clock.monotonicMs() - this.#progressAtMs > wireBounds.stallMs;
  }

  hasRoomFor(bytes: number): boolean {
    return this.socket.writableLength + bytes <= this.#maxQueueBytes;
  }

  /** Writes a frame in one or more parts, none of which is copied. */
  write(first: Uint8Array, rest: readonly Uint8Array[]): void {
    if (this.#unsentFrames === 0) this.#progressAtMs = this.#clock.monotonicMs();
    this.#unsentFrames += 1;
    this.#cork();
    let last = first;
    for (const part of rest) {
      this.socket.write(last);
      last = part;
    }
    this.socket.write(last, this.#onSent);
  }

  readonly #onSent = (): void => {
    this.#unsentFrames -= 1;
    this.#progressAtMs = this.#clock.monotonicMs();
  };

  /** Everything that is sent in one go leaves in one system call. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.socket.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.socket.uncork();
    });
  }
}
