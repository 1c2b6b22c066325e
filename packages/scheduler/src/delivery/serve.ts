// Whose turn it is: groups that are due and wanted are served one after the other, a slice each.
//
// A slice is one lease command: at most `rowsPerCommand` rows, and about `sliceBytes` of bodies. With two commands in
// flight for each group and a bound on all together, a hundred thousand messages due at once in one lane cost another
// lane the time of its turn, and no more.
import { pauseMs } from '../bounds.ts';
import type { Group } from '../group.ts';
import { type Life, runApart } from '../life.ts';
import type { Proposal } from '../ports.ts';
import { type Timed, TimeHeap } from '../wakeups.ts';
import type { Consumers } from './consumers.ts';
import type { Handover } from './handover.ts';
import { type Picked, pick } from './pick.ts';

/** `timeMs` (of Timed) is monotonic. */
interface Pause extends Timed {
  readonly group: Group;
}

export class Serving {
  readonly #life: Life;
  readonly #consumers: Consumers;
  readonly #handover: Handover;
  /** In the order of their turns. */
  readonly #ready = new Set<Group>();
  /** Wanted, and next due at `timeMs` of cluster time. */
  readonly #due = new TimeHeap<Group>();
  readonly #pauses = new TimeHeap<Pause>();
  /** Due and wanted, but at a bound of leases: looked at again when one ends. */
  readonly #full = new Set<Group>();
  #leaseCommands = 0;
  #tick = { isInFlight: false, failures: 0, pausedUntilMs: 0 };

  constructor(life: Life, consumers: Consumers, handover: Handover) {
    this.#life = life;
    this.#consumers = consumers;
    this.#handover = handover;
  }

  /** Somebody waits, or something changed: look at the group at the next wake. */
  want(group: Group): void {
    this.#ready.add(group);
  }

  leaseEnded(): void {
    for (const group of this.#full) this.#ready.add(group);
    this.#full.clear();
  }

  forget(group: Group): void {
    this.#ready.delete(group);
    this.#full.delete(group);
    this.#due.remove(group);
  }

  look(stampMs: number, monotonicMs: number): void {
    const clockMs = this.#life.ports.store.clockMs;
    for (let pause = this.#pauses.first(); pause !== undefined; pause = this.#pauses.first()) {
      if (pause.timeMs > monotonicMs) break;
      this.#pauses.remove(pause);
      this.#ready.add(pause.group);
    }
    for (let group = this.#due.first(); group !== undefined && group.timeMs <= clockMs; group = this.#due.first()) {
      this.#due.remove(group);
      this.#ready.add(group);
    }
    // A group that has more to give joins again at the end, and the loop comes round to it.
    for (const group of this.#ready) {
      if (this.#leaseCommands >= this.#life.bounds.leaseCommands) break;
      this.#ready.delete(group);
      this.#serve(group, stampMs, clockMs, monotonicMs);
    }
    this.#maybeTick(stampMs, clockMs, monotonicMs);
  }

  /** In ms from now; Infinity when nothing of this part waits for time. */
  nextInMs(stampMs: number, monotonicMs: number): number {
    const pauseInMs = (this.#pauses.first()?.timeMs ?? Number.POSITIVE_INFINITY) - monotonicMs;
    const dueMs = this.#due.first()?.timeMs ?? Number.POSITIVE_INFINITY;
    if (dueMs > stampMs) return Math.min(pauseInMs, dueMs - stampMs);
    // It waits for the clock. The end of a tick, or of another entry, is an event and needs no timer.
    const tickInMs = this.#tick.pausedUntilMs - monotonicMs;
    return tickInMs > 0 ? Math.min(pauseInMs, tickInMs) : pauseInMs;
  }

  #serve(group: Group, stampMs: number, clockMs: number, monotonicMs: number): void {
    this.#due.remove(group);
    if (group.queue.size + group.returned.size === 0) return;
    group.usedAtMs = monotonicMs;
    // Both end in an event of their own: the pause in a timer, the command in its proposal's end.
    if (group.pausedUntilMs > monotonicMs || group.leaseCommands >= this.#life.bounds.leaseCommandsPerGroup) return;
    if (group.isStale) {
      if (group.leaseCommands > 0) return;
      group.upcoming.reset();
      group.isStale = false;
    }
    this.#maybeScan(group);
    if (!group.upcoming.isKnown) return;
    const nextMs = group.upcoming.nextMs;
    if (nextMs > clockMs) {
      if (nextMs > stampMs) this.#consumers.answerPolls(group);
      if (nextMs < Number.POSITIVE_INFINITY) this.#due.set(group, nextMs);
      return;
    }
    const maxRows = this.#roomFor(group);
    if (maxRows === 0) {
      this.#life.refusals.count('tooManyLeases');
      this.#full.add(group);
      this.#consumers.answerPolls(group);
      return;
    }
    const picked = pick(group, this.#consumers.eligible(group), clockMs, maxRows);
    if (picked === undefined) return;
    this.#propose(group, picked);
    this.#ready.add(group);
  }

  #maybeScan(group: Group): void {
    const scan = group.upcoming.maybeScan();
    if (scan === undefined) return;
    runApart(this.#life, async () => {
      if (!(await scan)) this.#consumers.refuseGroup(group);
      this.#ready.add(group);
      this.#life.wake();
    });
  }

  #roomFor(group: Group): number {
    const { bounds, leases } = this.#life;
    const slice = Math.max(1, Math.min(bounds.rowsPerCommand, Math.floor(bounds.sliceBytes / (group.meanBytes + 1))));
    const leasesInFlight = group.rowsInFlight;
    const room = Math.min(bounds.leasesPerGroup - group.leases.size - leasesInFlight, bounds.leases - leases.size);
    return Math.max(0, Math.min(slice, room));
  }

  #propose(group: Group, picked: Picked): void {
    group.leaseCommands++;
    group.rowsInFlight += picked.rows;
    this.#leaseCommands++;
    for (const waiter of picked.waiters) this.#consumers.take(waiter, 'inFlight');
    runApart(this.#life, async () => {
      this.#settle(group, picked, await this.#life.proposed.propose<'lease'>(picked.command));
    });
  }

  #settle(group: Group, picked: Picked, proposal: Proposal<'lease'>): void {
    group.leaseCommands--;
    group.rowsInFlight -= picked.rows;
    this.#leaseCommands--;
    if (this.#life.isStopped()) return;
    this.#ready.add(group);
    if (proposal.kind === 'applied' && proposal.verdict.kind === 'leased') {
      group.failures = 0;
      this.#handover.deliverFresh(picked.waiters, proposal.verdict.leases);
    } else {
      this.#fail(group, picked, proposal);
    }
    this.#life.wake();
  }

  /** The windows gave rows away that nobody got: they are thrown away, and the store is asked again. */
  #fail(group: Group, picked: Picked, proposal: Proposal<'lease'>): void {
    const { bounds, refusals } = this.#life;
    const refused =
      proposal.kind === 'applied' && proposal.verdict.kind === 'refused' ? proposal.verdict.code : undefined;
    refusals.count(refused ?? proposal.kind);
    group.isStale = true;
    if (refused === 'groupNotFound' || refused === 'topicNotFound') {
      this.#consumers.refuseGroup(group);
      return;
    }
    for (const waiter of picked.waiters) {
      // Leases of an unknown outcome may still come to be: only a repeat of the receive may find them.
      if (proposal.kind === 'unknown') this.#consumers.answerElsewhere(waiter);
      else this.#consumers.putBack(waiter);
    }
    group.failures++;
    group.pausedUntilMs = this.#life.ports.clock.monotonicMs() + pauseMs(group.failures, bounds);
    this.#pauses.set({ group, timeMs: 0, slot: -1 }, group.pausedUntilMs);
  }

  /** One tick moves the clock for all lanes. A busy cluster needs none: any entry does. */
  #maybeTick(stampMs: number, clockMs: number, monotonicMs: number): void {
    let first = this.#due.first();
    while (first !== undefined && !this.#consumers.hasEligible(first)) {
      this.#due.remove(first);
      first = this.#due.first();
    }
    if (first === undefined || first.timeMs <= clockMs || first.timeMs > stampMs) return;
    if (this.#tick.isInFlight || monotonicMs < this.#tick.pausedUntilMs) return;
    if (this.#life.proposed.covers(first.timeMs)) return;
    this.#tick.isInFlight = true;
    runApart(this.#life, async () => {
      const proposal = await this.#life.proposed.propose<'tick'>({ kind: 'tick' });
      const failures = proposal.kind === 'applied' ? 0 : this.#tick.failures + 1;
      if (failures > 0) this.#life.refusals.count('tickLost');
      const waitMs = failures === 0 ? 0 : pauseMs(failures, this.#life.bounds);
      this.#tick = { isInFlight: false, failures, pausedUntilMs: this.#life.ports.clock.monotonicMs() + waitMs };
      this.#life.wake();
    });
  }
}
