// Walk 14/15: the lease is applied; its messages are read and handed to the waiting consumer, if nobody else may lead by
// now. From store/apply/lease.ts, on to server/service/deliveries.ts.
import type { GrantedLease, Position, View } from '@holdfast/store';
import { pauseMs } from '../bounds.ts';
import type { Group, Waiter } from '../group.ts';
import { type Life, runApart } from '../life.ts';
import type { Delivery } from '../ports.ts';
import type { Consumers } from './consumers.ts';

export interface Granted {
  readonly position: Position;
  readonly token: number;
  readonly attempt: number;
  readonly untilMs: number;
}

interface Held {
  readonly waiter: Waiter;
  readonly leases: readonly Granted[];
  /** By this leadership, for this receive: then it may give them back. */
  readonly isFresh: boolean;
}

export class Handover {
  readonly #life: Life;
  readonly #consumers: Consumers;
  /** Answers that wait for doubt to end; never more than there are waiters. */
  #held: Held[] = [];

  constructor(life: Life, consumers: Consumers) {
    this.#life = life;
    this.#consumers = consumers;
  }

  /** A lease command is applied: each of its receives gets what was made for it, all read from one view. */
  deliverFresh(waiters: readonly Waiter[], leases: readonly GrantedLease[]): void {
    const own = waiters.map((): GrantedLease[] => []);
    for (const lease of leases) own[lease.receive]?.push(lease);
    this.#withView((view) => {
      waiters.forEach((waiter, receive) => {
        const granted = own[receive] ?? [];
        if (granted.length === 0) this.#consumers.putBack(waiter);
        else this.#deliver({ waiter, leases: granted, isFresh: true }, view);
      });
    });
  }

  /** @param leases made for this receive before, maybe by another leader: a copy of the answer may be anywhere */
  deliverAgain(waiter: Waiter, leases: readonly Granted[]): void {
    this.#withView((view) => this.#deliver({ waiter, leases, isFresh: false }, view));
  }

  /** Hands over what had to wait for doubt to end. */
  look(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    this.#withView((view) => {
      for (const one of held) this.#deliver(one, view);
    });
  }

  #withView(work: (view: View) => void): void {
    const view = this.#life.ports.store.view();
    try {
      work(view);
    } finally {
      runApart(this.#life, () => view.close());
    }
  }

  #deliver(held: Held, view: View): void {
    const { waiter, leases, isFresh } = held;
    const { ports, refusals } = this.#life;
    if (waiter.respond === undefined) {
      this.#abandon(waiter, isFresh ? leases : []);
      return;
    }
    if (ports.inDoubt()) {
      refusals.count('heldInDoubt');
      this.#consumers.take(waiter, 'held');
      this.#held.push(held);
      return;
    }
    const stampMs = ports.stampMs();
    const running = leases.filter((lease) => lease.untilMs > stampMs);
    const ranOut = leases.filter((lease) => lease.untilMs <= stampMs);
    refusals.count('ranOutBeforeHandover', ranOut.length);
    const { deliveries, left } = this.#read(view, waiter.group, running);
    refusals.count('answerBytes', left.length);
    const unanswered = [...ranOut, ...left];
    if (isFresh && unanswered.length > 0) this.giveBack(waiter.group, unanswered);
    if (deliveries.length === 0) {
      // A repeat finds what still runs; "nothing" would let the caller forget the id that it was leased for.
      this.#consumers.answerElsewhere(waiter);
      return;
    }
    this.#consumers.answer(waiter, { kind: 'deliveries', deliveries });
    if (!isFresh) return;
    for (const { attempt, position } of deliveries) {
      if (attempt === 1) ports.onDelivered(waiter.group.topic, stampMs - position.fireAtMs);
    }
  }

  /**
   * Reads no further than the answer goes: a read keeps the whole process waiting, and 256 of the largest rows would keep the
   * leader from its heartbeats.
   *
   * @returns deliveries up to the bound of an answer (at least one), and the leases that found no room
   */
  #read(view: View, group: Group, leases: readonly Granted[]): { deliveries: Delivery[]; left: readonly Granted[] } {
    const deliveries: Delivery[] = [];
    let bytes = 0;
    for (const [index, lease] of leases.entries()) {
      const row = view.message(group.topic, lease.position);
      // Ended between apply and here: its group or topic was deleted.
      if (row === undefined) continue;
      const rowBytes = row.headers.byteLength + row.body.byteLength;
      if (deliveries.length > 0 && bytes + rowBytes > this.#life.bounds.answerBytes)
        return { deliveries, left: leases.slice(index) };
      bytes += rowBytes;
      group.meanBytes += (rowBytes - group.meanBytes) / 32;
      deliveries.push({
        topic: group.topic,
        group: group.number,
        position: lease.position,
        token: lease.token,
        attempt: lease.attempt,
        untilMs: lease.untilMs,
        headers: row.headers,
        body: row.body,
      });
    }
    return { deliveries, left: [] };
  }

  /** Its caller walked away: what was leased for it goes to others at once, and its id answers nobody any more. */
  #abandon(waiter: Waiter, leases: readonly Granted[]): void {
    if (leases.length > 0) {
      this.#consumers.abandon(waiter.key);
      this.giveBack(waiter.group, leases);
    }
    this.#consumers.answerNothing(waiter);
  }

  /** Only for leases of which no copy of an answer went anywhere. */
  giveBack(group: Group, leases: readonly Granted[]): void {
    for (const lease of leases) {
      const known = group.leases.get(lease.position.seq);
      if (known !== undefined && known.token === lease.token) known.state = 'withdrawn';
    }
    this.#life.refusals.count('givenBack', leases.length);
    runApart(this.#life, () => this.#proposeGiveBack(group, leases));
  }

  /** What was refused is tried again until its leases ran out; of what may have been applied, the rest ends with its lease. */
  async #proposeGiveBack(group: Group, leases: readonly Granted[]): Promise<void> {
    const { bounds, ports, proposed, refusals } = this.#life;
    let running = leases;
    for (let failures = 1; running.length > 0 && !this.#life.isStopped(); failures++) {
      const refs = running.map(({ position, token }) => ({ position, token }));
      const command = { kind: 'giveBack', topic: group.topic, group: group.number, leases: refs } as const;
      const proposal = await proposed.propose<'giveBack'>(command);
      if (proposal.kind === 'applied') return;
      refusals.count('giveBackLost');
      // While it was under way no tick was proposed for what fell due.
      this.#life.wake();
      if (proposal.kind === 'unknown') return;
      await this.#life.pause(pauseMs(failures, bounds));
      const stampMs = ports.stampMs();
      running = running.filter(({ untilMs }) => untilMs > stampMs);
    }
  }
}
