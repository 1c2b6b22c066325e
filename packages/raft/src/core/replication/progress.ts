// One follower, as the leader of this term sees it.
//
//   probe      where the logs agree is a guess: one append at a time, and none more until it is answered
//   snapshot   what it needs next is compacted here: it is sent the state, and no entries meanwhile
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
  readonly maxReplicatePatienceTicks: number;
}

export class Progress {
  state: 'probe' | 'snapshot' | 'replicate' = 'probe';
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
  #snapshotAskedAt: number | undefined;
  /**
   * Tick since which an acknowledgement is waited for: when the one before it came, or when an append left while none was waited
   * for.
   */
  #waitingSince: number | undefined;
  #replicatePatienceTicks: number;

  constructor(limits: ProgressLimits, next: number, now: number) {
    this.#limits = limits;
    this.next = next;
    this.heardAt = now;
    this.#probePatienceTicks = limits.probePatienceTicks;
    this.#replicatePatienceTicks = limits.replicatePatienceTicks;
    this.inflight = new Inflight(limits.maxInflightAppends, limits.maxInflightBytes);
  }

  get maySend(): boolean {
    if (this.state === 'snapshot') return false;
    return this.state === 'probe' ? this.#probeSentAt === undefined : !this.inflight.full;
  }

  /** After a state was installed even an empty append is worth sending: it proves that the follower has everything. */
  needs(lastIndex: number): boolean {
    return this.next <= lastIndex || (this.state === 'probe' && this.match < this.next - 1);
  }

  /** An append of the entries `next` to `lastIndex` goes out. */
  sent(lastIndex: number, bytes: number, now: number): void {
    this.sentTo = Math.max(this.sentTo, lastIndex);
    this.#waitingSince ??= now;
    if (this.state === 'probe') {
      this.#probeSentAt = now;
      return;
    }
    this.inflight.add(lastIndex, bytes);
    this.next = lastIndex + 1;
  }

  /** The follower has everything up to `index`. Late and repeated acknowledgements say only that what was sent still arrives. */
  accept(index: number, now: number): void {
    if (index > this.sentTo) return;
    this.#arrived(now);
    if (index < this.match || (index === this.match && this.state !== 'probe')) return;
    this.match = index;
    this.next = Math.max(this.next, this.match + 1);
    if (this.state === 'replicate') this.inflight.freeTo(index);
    else this.#becomeReplicate();
    if (this.inflight.count === 0) this.#waitingSince = undefined;
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
    if (this.state === 'snapshot') return; // it asks for nothing that is there
    if (index !== this.next - 1) return;
    this.next = Math.max(this.match + 1, Math.min(index, agreeAt + 1));
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }

  /**
   * Everything in flight may be lost: begin again after `match`. Where that is not proven yet the guess stands: back at
   * the beginning, a follower that has nearly everything would be sent a snapshot.
   */
  becomeProbe(): void {
    if (this.state === 'snapshot') {
      this.#snapshotAskedAt = undefined;
      return;
    }
    if (this.state === 'replicate') this.next = this.match + 1;
    this.state = 'probe';
    this.inflight.clear();
    this.#waitingSince = undefined;
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }

  /** The next entry to send is not there any more. */
  becomeSnapshot(): void {
    this.state = 'snapshot';
    this.inflight.clear();
    this.#waitingSince = undefined;
    this.#probeSentAt = undefined;
    this.#snapshotAskedAt = undefined;
  }

  /** Is the owner to be told, now, that this follower needs the state? */
  askForSnapshot(now: number, patienceTicks: number): boolean {
    if (this.state !== 'snapshot') return false;
    if (this.#snapshotAskedAt !== undefined && now - this.#snapshotAskedAt < patienceTicks) return false;
    this.#snapshotAskedAt = now;
    return true;
  }

  /** The follower has the state of `index`: look there whether the logs agree. */
  snapshotInstalled(index: number): void {
    if (this.state !== 'snapshot') return;
    this.state = 'probe';
    this.next = Math.max(this.match, index) + 1;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }

  /** The follower lives, yet what was sent to it is not answered: after a while it counts as lost. */
  maybeResend(now: number): void {
    if (this.state === 'replicate') {
      const since = this.#waitingSince;
      if (since === undefined || now - since < this.#replicatePatienceTicks) return;
      this.becomeProbe();
      this.#waitingSince = since; // the acknowledgement may still come, and then says how long it takes
      return;
    }
    if (this.#probeSentAt === undefined || now - this.#probeSentAt < this.#probePatienceTicks) return;
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = Math.min(2 * this.#probePatienceTicks, this.#limits.maxProbePatienceTicks);
  }

  /**
   * An acknowledgement came: the next one may take twice as long. With a patience that does not know the link, entries that are
   * still on their way over a slow one would be sent again and again, and nearly all that arrives would be there already.
   */
  #arrived(now: number): void {
    if (this.#waitingSince === undefined) return;
    const { replicatePatienceTicks, maxReplicatePatienceTicks } = this.#limits;
    const patience = Math.max(2 * (now - this.#waitingSince), replicatePatienceTicks);
    this.#replicatePatienceTicks = Math.min(patience, maxReplicatePatienceTicks);
    this.#waitingSince = now;
  }

  #becomeReplicate(): void {
    this.state = 'replicate';
    this.next = this.match + 1;
    this.inflight.clear();
    this.#probeSentAt = undefined;
    this.#probePatienceTicks = this.#limits.probePatienceTicks;
  }
}
