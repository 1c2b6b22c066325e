// Tells who operates the node that connections at the peer port go wrong. The first is told at once; after that strangers
// could fill the disk with lines, so there is one a minute at most, with how many there were of which kind.
import type { Clock, PeerFault } from '@holdfast/raft';
import type { MemberLog } from '../member.ts';

const logEveryMs = 60_000;

export class PeerFaults {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: MemberLog;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  /** Since the last line, by reason. */
  #counts = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, log: MemberLog) {
    this.#clock = clock;
    this.#log = log;
  }

  noticed({ reason, says, from }: PeerFault): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = nowMs;
    const counts = Object.fromEntries(this.#counts);
    this.#counts = new Map();
    this.#log.warn({ event: 'peers.fault', reason, from, because: says, counts }, 'connections of peers go wrong');
  }
}
