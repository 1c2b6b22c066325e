// Leases that ran out: what was not acknowledged goes to somebody else, never inside the grace of a term [H3, H8].
import { pauseMs } from '../bounds.ts';
import type { Group, Lease } from '../group.ts';
import { type Life, runApart } from '../life.ts';
import type { Proposal } from '../ports.ts';
import { backoffAfterRunOutMs } from './backoff.ts';

/** In graces; apply holds the same bound. */
const longestPostponement = 10;

export class LeaseEnds {
  readonly #life: Life;
  readonly #graceMs: number;
  /** In cluster time. Before it every consumer gets the time to find this leader and acknowledge. */
  #releaseFromMs = Number.POSITIVE_INFINITY;
  #commands = 0;
  #failures = 0;

  constructor(life: Life, graceMs: number) {
    this.#life = life;
    this.#graceMs = graceMs;
  }

  begun(releaseFromMs: number): void {
    this.#releaseFromMs = releaseFromMs;
  }

  /** In ms from now; Infinity when nothing of this part waits for time. */
  nextInMs(stampMs: number): number {
    const first = this.#life.leases.firstToEnd;
    if (first === undefined || this.#commands >= this.#life.bounds.releaseCommands) return Number.POSITIVE_INFINITY;
    return this.#endsAtMs(first) - stampMs;
  }

  /** When it may be ended. Leaders that change faster than a grace would put that off for ever, so there is an end to it. */
  #endsAtMs(lease: Lease): number {
    const graceEndsMs = Math.min(this.#releaseFromMs, lease.untilMs + longestPostponement * this.#graceMs);
    return Math.max(lease.timeMs, graceEndsMs);
  }

  look(stampMs: number): void {
    const { bounds, leases } = this.#life;
    const ran = new Map<Group, Lease[]>();
    const mostRows = (bounds.releaseCommands - this.#commands) * bounds.rowsPerCommand;
    for (let rows = 0; rows < mostRows; rows++) {
      const lease = leases.firstToEnd;
      if (lease === undefined || this.#endsAtMs(lease) > stampMs) break;
      // Its answer has not left yet. It will be handed over, or given back: then no attempt counts, as one does after a release.
      if (isBeingAnswered(lease)) {
        leases.putOff(lease, stampMs + pauseMs(1, bounds));
        continue;
      }
      leases.takeEnd(lease);
      const ofGroup = ran.get(lease.group);
      if (ofGroup === undefined) ran.set(lease.group, [lease]);
      else ofGroup.push(lease);
    }
    for (const [group, ofGroup] of ran) {
      for (let at = 0; at < ofGroup.length; at += bounds.rowsPerCommand) {
        this.#release(group, ofGroup.slice(at, at + bounds.rowsPerCommand));
      }
    }
  }

  #release(group: Group, leases: readonly Lease[]): void {
    this.#commands++;
    const random = this.#life.ports.random;
    const refs = leases.map(({ position, token, attempt }) => ({
      position,
      token,
      delayMs: backoffAfterRunOutMs(group.config, attempt, random()),
    }));
    const command = { kind: 'release', topic: group.topic, group: group.number, leases: refs } as const;
    runApart(this.#life, async () => {
      this.#settle(leases, await this.#life.proposed.propose<'release'>(command));
    });
  }

  /** What was released left the table when its change was heard; what still stands there is tried again. */
  #settle(leases: readonly Lease[], proposal: Proposal<'release'>): void {
    this.#commands--;
    if (this.#life.isStopped()) return;
    const isApplied = proposal.kind === 'applied' && proposal.verdict.kind === 'answers';
    this.#failures = isApplied ? 0 : this.#failures + 1;
    if (!isApplied) this.#life.refusals.count('releaseLost');
    const againMs = this.#life.ports.stampMs() + pauseMs(Math.max(1, this.#failures), this.#life.bounds);
    for (const lease of leases) this.#life.leases.putBack(lease, againMs);
    this.#life.wake();
  }
}

/** The receive that it was made for waits for its commit, or for the end of a doubt. */
function isBeingAnswered({ group, receiveKey }: Lease): boolean {
  const place = group.waiters.get(receiveKey)?.place;
  return place === 'inFlight' || place === 'held';
}
