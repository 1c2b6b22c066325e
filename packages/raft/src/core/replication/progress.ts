// One follower, as the leader of this term sees it.
//
//   probe      where the logs agree is a guess: one append at a time, and none more until it is answered
//   replicate  the logs agree up to `match`: appends go out back to back, as far as the window allows
//
// `next` is the next index to send. `match` is proven by acknowledgements of this term and never falls. `sentTo` is the
// last index that any append of this term named: an acknowledgement beyond it belongs to another life.
import { Inflight } from './inflight.ts';

export interface ProgressLimits {
  readonly maxInflightAppends: number;
  readonly maxInflightBytes: number;
  readonly probePatienceTicks: number;
  readonly maxProbePatienceTicks: number;
  readonly replicatePatienceTicks: number;
}

export class Progress {
  state: 'probe' | 'replicate' = 'probe';
  match = 0;
  next: number;
  sentTo = 0;
  /** The follower's applied index, as it last said. */
  applied = 0;
  /** The highest commit index that an append or heartbeat told it. */
  commitTold = 0;
  heartbeatOwed = false;
  /** The last round of reads that it has answered. */
  round = 0;
  /** Tick of the last answer in this term. */
  heardAt: number;
  readonly inflight: Inflight;
  readonly #limits: ProgressLimits;
  #probeSentAt: number | undefined;
  #probePatienceTicks: number;
  /** Tick of the last advance of `match`, or of the first append into an empty window. */
  #movedAt: number;

  constructor(limits: ProgressLimits, next: number, now: number) {
    this.#limits = limits;
    this.next = next;
    this.heardAt = now;
    this.#movedAt = now;
    this.#probePatienceTicks = limits.probePatienceTicks;
    this.inflight = new Inflight(limits.maxInflightAppends, limits.maxInflightBytes);
  }

  get maySend(): boolean {
    return this.state === 'probe' ? this.#probeSentAt === undefined : !this.inflight.full;
  }

  /** An append of the entries `next` to `lastIndex` goes out. */
  sent(lastIndex: number, bytes: number, now: number): void {
    this.sentTo = Math.max(this.sentTo, lastIndex);
    if (this.state === 'probe') {
      this.#probeSentAt = now;
      return;
    }
    if (this.inflight.count === 0) this.#movedAt = now;
    this.inflight.add(lastIndex, bytes);
    this.next = lastIndex + 1;
  }

  /** The follower has everything up to `index`. Late and repeated acknowledgements change nothing. */
  accept(index: number, now: number): void {
    if (index > this.sentTo || index < this.match) return;
    if (index > this.match) {
      this.match = index;
      this.#movedAt = now;
    } else if (this.state === 'replicate') {
      return;
    }
    this.next = Math.max(this.next, this.match + 1);
    if (this.state === 'probe') this.#becomeReplicate();
    else this.inflight.freeTo(index);
  }

  /**
   * The follower refused an append after `index`; `agreeAt` is the last index where the logs could agree. A refusal that
   * is not the answer to what is under way (late, repeated, at or below `match`) changes nothing.
   */
  reject(index: number, agreeAt: number): void {
    if (index <= this.match) return;
    if (this.state === 'replicate') {
      // Something in between was lost, since everything up to `match` is proven.
      if (index < this.next) this.becomeProbe();
      return;
    }
    if (index !== this.next - 1) return;
    this.next = Math.max(this.match + 1, Math.min(index, agreeAt + 1));
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }

  /** Everything in flight may be lost: begin again after `match`. */
  becomeProbe(): void {
    this.state = 'probe';
    this.next = this.match + 1;
    this.inflight.clear();
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }

  /** The follower lives, yet what was sent to it is not answered: after a while it counts as lost. */
  maybeResend(now: number): void {
    if (this.state === 'replicate') {
      if (this.inflight.count > 0 && now - this.#movedAt >= this.#limits.replicatePatienceTicks) this.becomeProbe();
      return;
    }
    if (this.#probeSentAt === undefined || now - this.#probeSentAt < this.#probePatienceTicks) return;
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = Math.min(2 * this.#probePatienceTicks, this.#limits.maxProbePatienceTicks);
  }

  #becomeReplicate(): void {
    this.state = 'replicate';
    this.next = this.match + 1;
    this.inflight.clear();
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }
}
