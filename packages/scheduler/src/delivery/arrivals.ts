// The way of a receive: it arrives, waits for `begin` if it must, and joins its group's waiters; or its caller walks away.
import type { Waiter } from '../group.ts';
import type { Life } from '../life.ts';
import type { ReceiveAnswer, ReceiveRequest } from '../ports.ts';
import { type Consumers, elsewhere, nothing } from './consumers.ts';
import type { Repeats } from './repeats.ts';
import type { Serving } from './serve.ts';

interface Arrival {
  readonly request: ReceiveRequest;
  readonly respond: (answer: ReceiveAnswer) => void;
  /** Monotonic. */
  readonly deadlineMs: number;
  /** Undefined before it was let in. */
  waiter: Waiter | undefined;
}

export class Arrivals {
  readonly #life: Life;
  readonly #consumers: Consumers;
  readonly #repeats: Repeats;
  readonly #serving: Serving;
  /** Those that came before `begin` was applied. */
  readonly #early = new Set<Arrival>();

  constructor(life: Life, consumers: Consumers, repeats: Repeats, serving: Serving) {
    this.#life = life;
    this.#consumers = consumers;
    this.#repeats = repeats;
    this.#serving = serving;
  }

  get early(): number {
    return this.#early.size;
  }

  receive(request: ReceiveRequest, signal: AbortSignal): Promise<ReceiveAnswer> {
    return new Promise((resolve) => {
      const respond = (answer: ReceiveAnswer): void => {
        signal.removeEventListener('abort', leave);
        resolve(answer);
      };
      const deadlineMs = this.#life.ports.clock.monotonicMs() + request.waitMs;
      const arrival: Arrival = { request, respond, deadlineMs, waiter: undefined };
      const leave = (): void => this.#leave(arrival);
      if (signal.aborted) {
        respond(nothing);
        return;
      }
      signal.addEventListener('abort', leave, { once: true });
      if (this.#life.isStopped()) respond(elsewhere);
      else if (this.#life.isServing()) this.#admit(arrival);
      else this.#waitForBegin(arrival);
      this.#life.wake();
    });
  }

  /** `begin` is applied: whoever waited for it is let in. */
  begun(): void {
    for (const arrival of this.#early) this.#admit(arrival);
    this.#early.clear();
  }

  /** Sent elsewhere, not told "nothing": what may be leased for it is not known yet. */
  expireEarly(monotonicMs: number): void {
    for (const arrival of this.#early) {
      if (arrival.deadlineMs > monotonicMs || arrival.request.waitMs < this.#consumers.budgetMs) continue;
      this.#early.delete(arrival);
      arrival.respond(elsewhere);
    }
  }

  stop(): void {
    for (const arrival of this.#early) arrival.respond(elsewhere);
    this.#early.clear();
    this.#consumers.sendAllElsewhere();
  }

  #waitForBegin(arrival: Arrival): void {
    if (this.#early.size < this.#life.bounds.waitingReceives) {
      this.#early.add(arrival);
      return;
    }
    this.#life.refusals.count('tooManyWaiting');
    arrival.respond({ kind: 'refused', code: 'tooManyWaiting' });
  }

  #admit(arrival: Arrival): void {
    const { request, respond } = arrival;
    const group = this.#life.groups.get(request.topic, request.group);
    if (group === undefined) {
      this.#life.refusals.count('groupNotFound');
      respond({ kind: 'refused', code: 'groupNotFound' });
      return;
    }
    const entered = this.#consumers.enter(group, request, respond, arrival.deadlineMs);
    if (entered.kind === 'answered') {
      respond(entered.answer);
      return;
    }
    const { waiter } = entered;
    arrival.waiter = waiter;
    // What is named in a proposal, or is about to be answered, needs nothing more.
    if (waiter.place === 'inFlight' || waiter.place === 'held') return;
    if (request.repeated || waiter.place === 'loading' || group.leasesByReceive.has(waiter.key)) {
      this.#repeats.find(waiter);
    } else {
      if (waiter.place === 'new') this.#consumers.queue(waiter);
      // Also for one that inherits a place in the queue: it may be a poll, which only a look answers.
      this.#serving.want(group);
    }
  }

  #leave(arrival: Arrival): void {
    this.#early.delete(arrival);
    if (arrival.waiter !== undefined) this.#consumers.leave(arrival.waiter, arrival.respond);
    arrival.respond(nothing);
    this.#life.wake();
  }
}
