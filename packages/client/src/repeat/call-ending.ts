// One call may end at any moment, whatever it waits for just then: the caller's signal, or the carrier that closes.

export class CallEnding {
  #ended = false;
  #reason: unknown;
  #stop: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.end(this.#signal?.reason);

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted === true) this.end(signal.reason);
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  end(reason: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reason = reason;
    this.#stop?.();
  }

  /** @throws the reason of the end, as it was given */
  throwIfEnded(): void {
    if (this.#ended) throw this.#reason;
  }

  /** What to stop when the end comes, or at once when it came just before. A call waits for one thing at a time. */
  whileWaiting(stop: (() => void) | undefined): void {
    this.#stop = stop;
    if (this.#ended) stop?.();
  }

  /** The call is over; the signal, which may live on, forgets it. */
  release(): void {
    this.#stop = undefined;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
