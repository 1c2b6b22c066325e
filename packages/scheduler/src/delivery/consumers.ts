// Who waits for messages: in order, until when, and under which receive id.
import type { Group, Waiter } from '../group.ts';
import { receiveKeyOf } from '../leases/lease-table.ts';
import type { Life } from '../life.ts';
import type { ReceiveAnswer, ReceiveRequest } from '../ports.ts';
import { TimeHeap } from '../wakeups.ts';

export const nothing: ReceiveAnswer = { kind: 'deliveries', deliveries: [] };
export const elsewhere: ReceiveAnswer = { kind: 'tryAnotherNode' };

export class Consumers {
  readonly #life: Life;
  readonly #commitBudgetMs: number;
  readonly #deadlines = new TimeHeap<Waiter>();
  readonly #waiters = new Set<Waiter>();
  /** Ids whose lease was given back: they answer nobody. Oldest first. */
  readonly #abandoned = new Set<string>();

  constructor(life: Life, commitBudgetMs: number) {
    this.#life = life;
    this.#commitBudgetMs = commitBudgetMs;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Monotonic; Infinity for none. */
  get nextDeadlineMs(): number {
    return this.#deadlines.first()?.timeMs ?? Number.POSITIVE_INFINITY;
  }

  /** Twice what commits took lately: less left than this, and a lease would reach nobody. */
  get budgetMs(): number {
    return Math.min(10 * this.#commitBudgetMs, Math.max(this.#commitBudgetMs, 2 * this.#life.proposed.commitMs));
  }

  /**
   * Takes a receive in, without a place to wait yet: the caller queues it or has its holds looked up.
   * @returns the answer at once when there is nothing to wait for
   */
  enter(
    group: Group,
    request: ReceiveRequest,
    respond: (answer: ReceiveAnswer) => void,
    deadlineMs: number,
  ):
    | { readonly kind: 'waits'; readonly waiter: Waiter }
    | { readonly kind: 'answered'; readonly answer: ReceiveAnswer } {
    const key = receiveKeyOf(request.receiveId);
    if (this.#abandoned.has(key)) {
      this.#life.refusals.count('abandonedId');
      return { kind: 'answered', answer: nothing };
    }
    const earlier = group.waiters.get(key);
    if (earlier !== undefined) {
      this.#takeOver(earlier, request, respond, deadlineMs);
      return { kind: 'waits', waiter: earlier };
    }
    const { bounds, refusals } = this.#life;
    if (group.waiters.size >= bounds.waitingReceivesPerGroup || this.#waiters.size >= bounds.waitingReceives) {
      refusals.count('tooManyWaiting');
      return { kind: 'answered', answer: { kind: 'refused', code: 'tooManyWaiting' } };
    }
    const isFull = group.leases.size >= bounds.leasesPerGroup || this.#life.leases.size >= bounds.leases;
    // A repeat may ask for leases that are among them.
    if (isFull && !request.repeated) {
      refusals.count('tooManyLeases');
      return { kind: 'answered', answer: { kind: 'refused', code: 'tooManyLeases' } };
    }
    const waiter: Waiter = {
      group,
      key,
      request,
      deadlineMs,
      isPoll: request.waitMs < this.budgetMs,
      place: 'new',
      respond,
      timeMs: 0,
      slot: -1,
    };
    group.waiters.set(key, waiter);
    this.#waiters.add(waiter);
    return { kind: 'waits', waiter };
  }

  /** Of two with one id the later stays: it inherits the place, and the lease that may be on its way. */
  #takeOver(
    waiter: Waiter,
    request: ReceiveRequest,
    respond: (answer: ReceiveAnswer) => void,
    deadlineMs: number,
  ): void {
    waiter.respond?.(elsewhere);
    waiter.respond = respond;
    waiter.request = request;
    waiter.deadlineMs = deadlineMs;
    waiter.isPoll = request.waitMs < this.budgetMs;
    if (waiter.place === 'queued' || waiter.place === 'loading') this.#watch(waiter);
  }

  #watch(waiter: Waiter): void {
    if (waiter.isPoll) this.#deadlines.remove(waiter);
    else this.#deadlines.set(waiter, waiter.deadlineMs);
  }

  queue(waiter: Waiter): void {
    this.#move(waiter, 'queued');
    waiter.group.queue.add(waiter);
  }

  load(waiter: Waiter): void {
    this.#move(waiter, 'loading');
  }

  /** From here on only the end of the proposal, or of the doubt, answers it. */
  take(waiter: Waiter, place: 'inFlight' | 'held'): void {
    this.#move(waiter, place);
  }

  /** Its lease did not come about: it goes back to the front, unless its time is up. */
  putBack(waiter: Waiter): void {
    const isLate = !waiter.isPoll && this.#life.ports.clock.monotonicMs() >= waiter.deadlineMs;
    if (waiter.respond === undefined || isLate) {
      this.answer(waiter, nothing);
      return;
    }
    this.#move(waiter, 'queued');
    waiter.group.returned.add(waiter);
  }

  #move(waiter: Waiter, place: Waiter['place']): void {
    waiter.group.queue.delete(waiter);
    waiter.group.returned.delete(waiter);
    waiter.place = place;
    if (place === 'queued' || place === 'loading') this.#watch(waiter);
    else this.#deadlines.remove(waiter);
  }

  answer(waiter: Waiter, answer: ReceiveAnswer): void {
    waiter.group.queue.delete(waiter);
    waiter.group.returned.delete(waiter);
    if (waiter.group.waiters.get(waiter.key) === waiter) waiter.group.waiters.delete(waiter.key);
    this.#waiters.delete(waiter);
    this.#deadlines.remove(waiter);
    const respond = waiter.respond;
    waiter.respond = undefined;
    respond?.(answer);
  }

  answerNothing(waiter: Waiter): void {
    this.answer(waiter, nothing);
  }

  answerElsewhere(waiter: Waiter): void {
    this.answer(waiter, elsewhere);
  }

  /** The caller of this answer walked away. While a proposal names the receive, its end decides what becomes of it. */
  leave(waiter: Waiter, respond: (answer: ReceiveAnswer) => void): void {
    respond(nothing);
    if (waiter.respond !== respond) return;
    waiter.respond = undefined;
    if (waiter.place === 'queued' || waiter.place === 'loading') this.answer(waiter, nothing);
  }

  /** The id answers nobody from now on: what was leased for it goes to others. */
  abandon(key: string): void {
    this.#abandoned.add(key);
    if (this.#abandoned.size <= this.#life.bounds.abandonedIds) return;
    this.#life.refusals.count('abandonedIdForgotten');
    for (const oldest of this.#abandoned) {
      this.#abandoned.delete(oldest);
      return;
    }
  }

  /** Those that a lease can still reach in time, in order. */
  *eligible(group: Group): Generator<Waiter, void> {
    const latestMs = this.#life.ports.clock.monotonicMs() + this.budgetMs;
    for (const waiters of [group.returned, group.queue]) {
      for (const waiter of waiters) if (waiter.isPoll || waiter.deadlineMs >= latestMs) yield waiter;
    }
  }

  hasEligible(group: Group): boolean {
    return this.eligible(group).next().done === false;
  }

  /** Nothing is due: whoever would not wait is told so. */
  answerPolls(group: Group): void {
    for (const waiters of [group.returned, group.queue]) {
      for (const waiter of waiters) if (waiter.isPoll) this.answer(waiter, nothing);
    }
  }

  /** Deadlines that have passed. Who waits for holds is sent elsewhere: "nothing" would cost it the leases it may have. */
  expire(monotonicMs: number): void {
    for (let waiter = this.#deadlines.first(); waiter !== undefined; waiter = this.#deadlines.first()) {
      if (waiter.timeMs > monotonicMs) return;
      this.answer(waiter, waiter.place === 'loading' ? elsewhere : nothing);
    }
  }

  refuseGroup(group: Group): void {
    for (const waiter of group.waiters.values()) {
      this.answer(waiter, { kind: 'refused', code: 'groupNotFound' });
    }
  }

  sendAllElsewhere(): void {
    for (const waiter of this.#waiters) this.answer(waiter, elsewhere);
  }
}
