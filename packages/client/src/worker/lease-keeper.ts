// Keeps leases alive while their handlers run, and says when one is lost. Many leases, one timer, few requests.
import { type AnswerOf, bounds } from '@holdfast/api';
import type { ClientClock } from '../clock.ts';

/** Why a handler's signal fired. */
export class LeaseLostError extends Error {
  constructor(detail: string, options?: ErrorOptions) {
    super(`The lease of this message is lost: ${detail} Another consumer may have it.`, options);
    this.name = 'LeaseLostError';
  }
}

export interface LeaseKeeperOptions {
  readonly clock: Pick<ClientClock, 'monotonicMs' | 'after'>;
  readonly leaseMs: number;
  extend(receipts: string[], signal: AbortSignal): Promise<AnswerOf<'extend'>['results']>;
  onError(error: unknown): void;
}

interface Kept {
  /** Nobody else has the message before: an extension counts from before it was sent, so that this is never too late. */
  endsAtMs: number;
  extendAtMs: number;
  extending: boolean;
  readonly onLost: (error: LeaseLostError) => void;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #kept = new Map<string, Kept>();
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #stopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /**
   * A message has just arrived.
   * @param endsAtMs monotonic; its lease lasts until then at least
   * @param onLost called at most once, and not after `forget`
   */
  keep(receipt: string, endsAtMs: number, onLost: (error: LeaseLostError) => void): void {
    const nowMs = this.#options.clock.monotonicMs();
    const extendAtMs = nowMs + Math.max(endsAtMs - nowMs, 0) * 0.4;
    this.#kept.set(receipt, { endsAtMs, extendAtMs, extending: false, onLost });
    this.#wakeBy(extendAtMs);
  }

  forget(receipt: string): void {
    this.#kept.delete(receipt);
    if (this.#kept.size === 0) this.#sleep();
  }

  /** Extends nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#sleep();
  }

  #sleep(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wakeBy(atMs: number): void {
    // The answer to an extension may come after the stop.
    if (this.#stopped) return;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.cancel();
    const delayMs = Math.max(atMs - this.#options.clock.monotonicMs(), 0);
    this.#timer = { atMs, cancel: this.#options.clock.after(delayMs, () => this.#wake()) };
  }

  #wake(): void {
    this.#timer = undefined;
    const { clock, leaseMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const due: string[] = [];
    for (const [receipt, kept] of this.#kept) {
      if (nowMs >= kept.endsAtMs) this.#lose(receipt, 'no node answered in time.');
      // A little early for some, so that they share a request.
      else if (!kept.extending && kept.extendAtMs - leaseMs / 10 <= nowMs) due.push(receipt);
    }
    for (let at = 0; at < due.length; at += bounds.receiptsPerRequest)
      void this.#extend(due.slice(at, at + bounds.receiptsPerRequest), nowMs);
    let nextMs = Number.POSITIVE_INFINITY;
    for (const kept of this.#kept.values()) nextMs = Math.min(nextMs, kept.extending ? kept.endsAtMs : kept.extendAtMs);
    if (Number.isFinite(nextMs)) this.#wakeBy(nextMs);
  }

  async #extend(receipts: string[], sentAtMs: number): Promise<void> {
    const { clock, leaseMs } = this.#options;
    const controller = new AbortController();
    let endsAtMs = sentAtMs;
    for (const kept of this.#of(receipts)) {
      kept.extending = true;
      endsAtMs = Math.max(endsAtMs, kept.endsAtMs);
    }
    const cancelTimer = clock.after(endsAtMs - sentAtMs, () => controller.abort());
    try {
      for (const { receipt, result } of await this.#options.extend(receipts, controller.signal)) {
        const kept = this.#kept.get(receipt);
        if (result !== 'ok') this.#lose(receipt, `a node answered ${result}.`);
        else if (kept !== undefined) {
          kept.endsAtMs = sentAtMs + leaseMs;
          kept.extendAtMs = sentAtMs + (leaseMs * 2) / 3;
        }
      }
    } catch (error) {
      // The leases that ended meanwhile are lost already; the others are tried again soon.
      if (!controller.signal.aborted) this.#options.onError(error);
      for (const kept of this.#of(receipts)) kept.extendAtMs = clock.monotonicMs() + leaseMs / 20;
    } finally {
      cancelTimer();
      for (const kept of this.#of(receipts)) {
        kept.extending = false;
        this.#wakeBy(kept.extendAtMs);
      }
    }
  }

  *#of(receipts: readonly string[]): Generator<Kept, void, undefined> {
    for (const receipt of receipts) {
      const kept = this.#kept.get(receipt);
      if (kept !== undefined) yield kept;
    }
  }

  #lose(receipt: string, detail: string): void {
    const kept = this.#kept.get(receipt);
    this.forget(receipt);
    kept?.onLost(new LeaseLostError(detail));
  }
}
