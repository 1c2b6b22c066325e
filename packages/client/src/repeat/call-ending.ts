// One call may end at any moment, whatever it waits for just then: the caller's signal, or the carrier that closes.

/** One listener a signal, however many calls share it: a program's own signal lives long, and listeners are counted. */
const listening = new WeakMap<AbortSignal, { readonly calls: Set<CallEnding>; readonly onAbort: () => void }>();

function listen(signal: AbortSignal, call: CallEnding): void {
  const known = listening.get(signal);
  if (known !== undefined) {
    known.calls.add(call);
    return;
  }
  const calls = new Set([call]);
  const onAbort = (): void => {
    for (const each of calls) each.end(signal.reason);
  };
  listening.set(signal, { calls, onAbort });
  signal.addEventListener('abort', onAbort, { once: true });
}

function forget(signal: AbortSignal, call: CallEnding): void {
  const known = listening.get(signal);
  if (known === undefined || !known.calls.delete(call) || known.calls.size > 0) return;
  listening.delete(signal);
  signal.removeEventListener('abort', known.onAbort);
}

export class CallEnding {
  #ended = false;
  #reason: unknown;
  #stop: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted === true) this.end(signal.reason);
    else if (signal !== undefined) listen(signal, this);
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
    if (this.#signal !== undefined) forget(this.#signal, this);
  }
}
