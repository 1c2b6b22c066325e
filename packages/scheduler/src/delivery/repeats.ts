// A receive that is asked again gets the leases that were made for it, same tokens, no new attempt [H4].
//
// The case that breaks without this: the leader dies between apply and answer. Its successor's holds say that the
// messages are leased, so nobody else gets them, and the consumer that asks again would wait until the leases run out.
import type { Group, Lease, Waiter } from '../group.ts';
import { type Life, runApart } from '../life.ts';
import type { Proposal } from '../ports.ts';
import type { Consumers } from './consumers.ts';
import type { Granted, Handover } from './handover.ts';
import type { Serving } from './serve.ts';

export class Repeats {
  readonly #life: Life;
  readonly #consumers: Consumers;
  readonly #handover: Handover;
  readonly #serving: Serving;

  constructor(life: Life, consumers: Consumers, handover: Handover, serving: Serving) {
    this.#life = life;
    this.#consumers = consumers;
    this.#handover = handover;
    this.#serving = serving;
  }

  /** Answers it with its leases, or has it wait: for the group's holds, or for new leases when there are none. */
  find(waiter: Waiter): void {
    const { group } = waiter;
    if (!group.holdsLoaded) {
      this.#consumers.load(waiter);
      return;
    }
    const leases = this.#life.leases.ofReceive(group, waiter.key);
    if (leases.length === 0) {
      this.#consumers.queue(waiter);
      this.#serving.want(group);
      return;
    }
    const halfwayMs = this.#life.ports.stampMs() + waiter.request.leaseMs / 2;
    this.#consumers.take(waiter, 'inFlight');
    if (leases.some((lease) => lease.untilMs < halfwayMs)) this.#extend(waiter, leases);
    else this.#handover.deliverAgain(waiter, leases);
  }

  /** The group's holds are known now. */
  holdsLoaded(group: Group): void {
    for (const waiter of group.waiters.values()) if (waiter.place === 'loading') this.find(waiter);
  }

  #extend(waiter: Waiter, leases: readonly Lease[]): void {
    const { group, request } = waiter;
    const refs = leases.map(({ position, token }) => ({ position, token }));
    const command = {
      kind: 'extend',
      topic: group.topic,
      group: group.number,
      leases: refs,
      leaseMs: request.leaseMs,
    } as const;
    runApart(this.#life, async () => {
      this.#extended(waiter, leases, await this.#life.proposed.propose<'extend'>(command));
    });
  }

  #extended(waiter: Waiter, leases: readonly Lease[], proposal: Proposal<'extend'>): void {
    if (this.#life.isStopped()) return;
    if (proposal.kind !== 'applied' || proposal.verdict.kind === 'refused') {
      this.#life.refusals.count('extendLost');
      this.#consumers.answerElsewhere(waiter);
      // While it was under way no tick was proposed for what fell due.
      this.#life.wake();
      return;
    }
    const { answers } = proposal.verdict;
    const extended = leases.flatMap(({ position, token, attempt }, index): Granted[] => {
      const answer = answers[index];
      return answer?.answer === 'ok' ? [{ position, token, attempt, untilMs: answer.untilMs }] : [];
    });
    if (extended.length > 0) this.#handover.deliverAgain(waiter, extended);
    else this.#consumers.putBack(waiter);
    this.#serving.want(waiter.group);
    this.#life.wake();
  }
}
