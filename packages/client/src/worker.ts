// Walk 14/15: a message reaches its handler; its lease is kept alive until it is acknowledged. On to store/apply/ack.ts.
import { bounds } from '@holdfast/api';
import { type Duration, durationMs } from './client-parts.ts';
import type { Deliveries, GroupParts } from './deliveries.ts';
import type { Delivery } from './message.ts';
import { reasonOf } from './payload.ts';
import { Acknowledger } from './worker/acknowledger.ts';
import { LeaseKeeper } from './worker/lease-keeper.ts';

export interface WorkerMessage<Payload> {
  readonly id: string;
  readonly payload: Payload;
  readonly headers: Readonly<Record<string, string>>;
  /** 1 for the first. */
  readonly attempt: number;
  /** Fencing token: rises with every lease of the message. */
  readonly token: number;
  readonly deliverAt: Date;
  /** From `deliverAt` until the message arrived here, by this machine's clock; may be negative when that one is behind. */
  readonly latenessMs: number;
  /** Fires when the lease is lost (reason: LeaseLostError), or when a stop has waited long enough. */
  readonly signal: AbortSignal;
}

/** Return: the message is acknowledged. Throw: it is given back, and comes again after the group's back-off. */
export type Handler<Payload> = (message: WorkerMessage<Payload>) => unknown;

/** Where an error was met: nothing is lost by any of them, the worker goes on. */
export type WorkerErrorPlace = 'receive' | 'payload' | 'handler' | 'extend' | 'ack' | 'nack';

export interface WorkerOptions {
  /** Handlers at once; 8 by default. */
  readonly concurrency?: number;
  /** 30 s by default; extended while the handler runs. */
  readonly lease?: Duration;
  /** Stops the worker, like `stop()`. */
  readonly signal?: AbortSignal;
  /** Without it the first error of each place becomes a warning of the process. It must not throw: that becomes a warning, too. */
  readonly onError?: (error: unknown, place: WorkerErrorPlace) => void;
}

export interface WorkerCounters {
  readonly received: number;
  readonly acknowledged: number;
  /** Handlers that threw. */
  readonly failed: number;
  /** Leases that ended while the handler ran. */
  readonly leasesLost: number;
  /** Acks that were refused, since the lease had ended: the message comes, or came, again. */
  readonly lateAcks: number;
  readonly errors: Readonly<Record<WorkerErrorPlace, number>>;
  /** Handlers that run now, and messages whose handler is done and whose ack or nack is under way. */
  readonly running: number;
  readonly settling: number;
}

export interface Worker extends AsyncDisposable {
  counters(): WorkerCounters;
  /**
   * Takes no more messages, waits for the handlers that run and for their acks; at most `within` (30 s by default).
   * Each receive under way (three at most) is asked for once more: what was leased to it is handled, too. One to which
   * nothing was leased may bring one message that is due just then.
   */
  stop(options?: { readonly within?: Duration }): Promise<void>;
}

interface WorkerParts<Payload> extends GroupParts<Payload> {
  readonly deliveries: Deliveries<Payload>;
}

interface Pulled<Payload> {
  readonly deliveries: Delivery<Payload>[];
  /** Monotonic; the leases last until then at least. */
  readonly leaseEndsAtMs: number;
}

const workerBounds = {
  concurrency: 8,
  leaseMs: 30_000,
  stopMs: 30_000,
  /** Messages whose handler is done and whose ack is not answered: beyond it nothing more is received. */
  settling: 1_024,
  /** Receives at once: while one's lease is being written, the next is waiting at the leader already. */
  receives: 3,
  firstBackoffMs: 100,
  backoffMs: 5_000,
  /** What was leased to a receive that a stop broke off is asked for once more, so long. */
  lastPullMs: 2_000,
} as const;

export function startWorker<Payload>(
  parts: WorkerParts<Payload>,
  handler: Handler<Payload>,
  options: WorkerOptions,
): Worker {
  const worker = new RunningWorker(parts, handler, options);
  worker.start();
  return worker;
}

class RunningWorker<Payload> implements Worker {
  readonly #parts: WorkerParts<Payload>;
  readonly #handler: Handler<Payload>;
  readonly #options: WorkerOptions;
  readonly #concurrency: number;
  readonly #leaseMs: number;
  readonly #keeper: LeaseKeeper;
  readonly #acknowledger: Acknowledger;
  readonly #stopping = new AbortController();
  /** Aborts when a stop has waited as long as it was told to. */
  readonly #late = new AbortController();
  readonly #running = new Set<AbortController>();
  readonly #counts = { received: 0, acknowledged: 0, failed: 0, leasesLost: 0, lateAcks: 0 };
  readonly #errors = { receive: 0, payload: 0, handler: 0, extend: 0, ack: 0, nack: 0 };
  #onErrorThrew = false;
  #settling = 0;
  /** Messages that the receives under way have asked for. */
  #asked = 0;
  /** Whoever waits until a handler or an ack is done: the receive loop, and each stop. */
  #waiters: (() => void)[] = [];
  #stopped: Promise<void> = Promise.resolve();
  readonly #onSignal = (): void => void this.stop();

  constructor(parts: WorkerParts<Payload>, handler: Handler<Payload>, options: WorkerOptions) {
    const { concurrency = workerBounds.concurrency, lease = workerBounds.leaseMs } = options;
    if (!Number.isSafeInteger(concurrency) || concurrency < 1)
      throw new RangeError(`concurrency must be a whole number from 1 on, and is ${concurrency}.`);
    this.#parts = parts;
    this.#handler = handler;
    this.#options = options;
    this.#concurrency = concurrency;
    this.#leaseMs = durationMs(lease, 'lease');
    const { deliveries, clock } = parts;
    this.#keeper = new LeaseKeeper({
      clock,
      leaseMs: this.#leaseMs,
      extend: (receipts, signal) => deliveries.extend(receipts, this.#leaseMs, { signal }),
      onError: (error) => this.#report(error, 'extend'),
    });
    this.#acknowledger = new Acknowledger({
      clock,
      ack: (receipts) => deliveries.ack(receipts, {}),
      onSettled: (receipt, outcome) => {
        if (outcome === 'ok') this.#counts.acknowledged += 1;
        else if (typeof outcome === 'object') this.#report(outcome.error, 'ack');
        else this.#counts.lateAcks += 1;
        this.#settled(receipt);
      },
    });
  }

  start(): void {
    const receives = Math.min(workerBounds.receives, this.#concurrency);
    const share = Math.min(Math.ceil(this.#concurrency / receives), bounds.messagesPerReceive);
    const loops = Array.from({ length: receives }, () => this.#receiveUntilStopped(share));
    this.#stopped = Promise.all(loops).then(() => undefined);
    const { signal } = this.#options;
    if (signal?.aborted === true) void this.stop();
    else signal?.addEventListener('abort', this.#onSignal, { once: true });
  }

  counters(): WorkerCounters {
    const { size: running } = this.#running;
    return { ...this.#counts, errors: { ...this.#errors }, running, settling: this.#settling };
  }

  async stop({ within = workerBounds.stopMs }: { readonly within?: Duration } = {}): Promise<void> {
    const withinMs = durationMs(within, 'within');
    this.#options.signal?.removeEventListener('abort', this.#onSignal);
    this.#stopping.abort();
    const waiting = new AbortController();
    const cancelTimer = this.#parts.clock.after(withinMs, () => {
      waiting.abort();
      this.#late.abort();
      for (const controller of this.#running) controller.abort(new Error('The worker was stopped.'));
      this.#progressed();
    });
    await this.#stopped;
    while (!waiting.signal.aborted && this.#running.size + this.#settling > 0) await this.#progress();
    cancelTimer();
    this.#keeper.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #receiveUntilStopped(share: number): Promise<void> {
    let backoffMs: number = workerBounds.firstBackoffMs;
    while (!this.#stopping.signal.aborted) {
      const max = Math.min(this.#room(), share);
      if (max <= 0) {
        await this.#progress();
        continue;
      }
      this.#asked += max;
      try {
        const { deliveries, leaseEndsAtMs } = await this.#pull(max);
        for (const delivery of deliveries) void this.#handle(delivery, leaseEndsAtMs);
        // Only now: between the two, another loop would take the same places.
        this.#answered(max);
        backoffMs = workerBounds.firstBackoffMs;
        // Handlers that are done at once make room first, so that the next receive asks for more than the last one's rest.
        if (deliveries.length > 0) await this.#pause(0);
      } catch (error) {
        this.#answered(max);
        if (this.#parts.carrier.isClosed) {
          void this.stop();
          return;
        }
        this.#report(error, 'receive');
        await this.#pause(backoffMs);
        backoffMs = Math.min(backoffMs * 2, workerBounds.backoffMs);
      }
    }
  }

  #answered(max: number): void {
    this.#asked -= max;
    this.#progressed();
  }

  #room(): number {
    const taken = this.#running.size + this.#asked;
    return Math.min(this.#concurrency - taken, workerBounds.settling - this.#settling - this.#asked);
  }

  /** One receive. When a stop breaks it off, it is asked for once more by its id: what was leased to it is here, not lost for a lease. */
  async #pull(max: number): Promise<Pulled<Payload>> {
    const { clock, deliveries, sliceMs } = this.#parts;
    const leaseMs = this.#leaseMs;
    const firstMs = clock.monotonicMs();
    let lastMs = firstMs;
    const onAttempt = (): void => {
      lastMs = clock.monotonicMs();
    };
    // The leases are no older than the first attempt, and a node that is asked again makes them last half their time from
    // then on. Only one that was in doubt may answer with less; the first extension comes early, and finds it out.
    const leaseEndsAtMs = (): number => Math.max(firstMs + leaseMs, lastMs + leaseMs / 2);
    const receiveId = Buffer.from(this.#parts.randomBytes(16)).toString('hex');
    const wanted = { leaseMs, receiveId };
    // When a lease began while the receive waited is not known: a wait that is short beside it leaves enough of it for sure.
    const waitMs = Math.min(sliceMs, Math.floor(leaseMs / 3));
    const onRefused = (error: unknown): void => this.#report(error, 'payload');
    const { signal } = this.#stopping;
    try {
      const first = await deliveries.pull({ ...wanted, max, waitMs }, { signal, onAttempt }, onRefused);
      return { deliveries: first, leaseEndsAtMs: leaseEndsAtMs() };
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
    const controller = new AbortController();
    const cancelTimer = clock.after(workerBounds.lastPullMs, () => controller.abort());
    // `max` is for new leases only: those that were made before come all, and when there are none, one message may.
    const again = { ...wanted, max: 1, waitMs: 0, repeated: true };
    // A handler that began after the stop would have nobody to extend its lease, or to tell it that it is lost.
    const ending = AbortSignal.any([controller.signal, this.#late.signal]);
    try {
      const last = await deliveries.pull(again, { signal: ending, onAttempt }, onRefused);
      return { deliveries: last, leaseEndsAtMs: leaseEndsAtMs() };
    } finally {
      cancelTimer();
    }
  }

  async #handle(delivery: Delivery<Payload>, leaseEndsAtMs: number): Promise<void> {
    const { receipt, deliverAtMs, id, payload, headers, attempt, token } = delivery;
    const controller = new AbortController();
    this.#counts.received += 1;
    this.#running.add(controller);
    this.#keeper.keep(receipt, leaseEndsAtMs, (error) => {
      // Its handler is done: an extension that comes behind the ack finds the message settled, and nothing is lost.
      if (!this.#running.has(controller)) return;
      this.#counts.leasesLost += 1;
      controller.abort(error);
    });
    const latenessMs = this.#parts.clock.wallMs() - deliverAtMs;
    const deliverAt = new Date(deliverAtMs);
    try {
      await this.#handler({ id, payload, headers, attempt, token, deliverAt, latenessMs, signal: controller.signal });
      this.#settling += 1;
      this.#acknowledger.add(receipt);
    } catch (error) {
      this.#counts.failed += 1;
      this.#settling += 1;
      this.#report(error, 'handler');
      void this.#giveBack(receipt, error);
    } finally {
      this.#running.delete(controller);
      this.#progressed();
    }
  }

  async #giveBack(receipt: string, reason: unknown): Promise<void> {
    try {
      await this.#parts.deliveries.nack([receipt], { reason: reasonOf(reason) });
    } catch (error) {
      this.#report(error, 'nack');
    }
    this.#settled(receipt);
  }

  #settled(receipt: string): void {
    this.#keeper.forget(receipt);
    this.#settling -= 1;
    this.#progressed();
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #progressed(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  #pause(pauseMs: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancelTimer();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancelTimer = this.#parts.clock.after(pauseMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #report(error: unknown, place: WorkerErrorPlace): void {
    this.#errors[place] += 1;
    const { onError } = this.#options;
    const { topic, group } = this.#parts.params;
    if (onError === undefined) {
      if (this.#errors[place] === 1)
        process.emitWarning(`A worker of ${topic}/${group} met an error (${place}): ${reasonOf(error)}`);
      return;
    }
    try {
      onError(error, place);
    } catch (thrown) {
      // What follows a report (a message given back, the next receive) must not depend on who is told.
      if (!this.#onErrorThrew)
        process.emitWarning(`onError of a worker of ${topic}/${group} threw: ${reasonOf(thrown)}`);
      this.#onErrorThrew = true;
    }
  }
}
