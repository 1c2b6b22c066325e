// What one call has met so far, and what follows from it: the next node, the pause before it, and the error in the end.
import { type ErrorCode, type ErrorFacts, HoldfastError, OutcomeUnknownError } from '@holdfast/api';
import type { NodeChoice } from './node-choice.ts';
import { originOf } from './node-choice.ts';
import { reactions } from './rules.ts';

export type Failure =
  | { readonly kind: 'refused'; readonly error: HoldfastError }
  | { readonly kind: 'silent'; readonly sent: boolean; readonly timedOut: boolean; readonly cause: unknown }
  /** Its node was silent, and another one leads, or the same one anew: the choice knows where to go. */
  | { readonly kind: 'overtaken'; readonly cause: unknown }
  /** This process is at fault (a request that can not be encoded, a failed disk): repeating would change nothing. */
  | { readonly kind: 'broken'; readonly error: unknown }
  /** The caller walked away, or the carrier closes. */
  | { readonly kind: 'ended' };

const courseBounds = {
  firstBackoffMs: 20,
  backoffMs: 250,
  backoffGrowth: 1.5,
  /** An attempt that timed out gets twice the time at the next node, up to this: a slow cluster must get a chance to answer. */
  attemptMs: 30_000,
  retryAfterMs: 10_000,
  internalFaults: 4,
} as const;

export interface Failures {
  unreachable: number;
  timedOut: number;
  readonly refusals: Map<ErrorCode, number>;
}

export class Course {
  readonly #choice: NodeChoice;
  readonly #random: () => number;
  readonly #failures: Failures;
  #node: string;
  #maybeApplied = false;
  #lastError: unknown;
  #backoffMs: number = courseBounds.firstBackoffMs;
  #timeFactor = 1;
  #faults = 0;
  /** Nodes asked since the last pause: each is asked once before the next one. */
  #asked = 0;

  constructor(choice: NodeChoice, random: () => number, failures: Failures) {
    this.#choice = choice;
    this.#random = random;
    this.#failures = failures;
    this.#node = choice.preferred();
  }

  get node(): string {
    return this.#node;
  }

  /** Some attempt was sent, or its outcome was called unknown. */
  get maybeApplied(): boolean {
    return this.#maybeApplied;
  }

  /** @param attemptMs what the verb allows; a receive that waits longer than the bound keeps its time */
  attemptMs(attemptMs: number): number {
    return Math.max(attemptMs, Math.min(attemptMs * this.#timeFactor, courseBounds.attemptMs));
  }

  /**
   * Chooses the next node.
   * @param changes whether an attempt of this verb may have changed something
   * @returns how long to wait first, in ms
   * @throws what repeating would not change
   */
  afterFailure(failure: Failure, changes: boolean): number {
    switch (failure.kind) {
      case 'silent':
        this.#failures[failure.timedOut ? 'timedOut' : 'unreachable'] += 1;
        this.#maybeApplied ||= failure.sent;
        this.#lastError = failure.cause;
        if (failure.timedOut) this.#timeFactor *= 2;
        return this.#another();
      case 'overtaken':
        this.#maybeApplied = true;
        this.#lastError = failure.cause;
        this.#node = this.#choice.preferred();
        return 0;
      case 'refused':
        return this.#afterRefusal(failure.error, changes);
      case 'broken':
        // An earlier attempt may have been applied, whatever is at fault now: a member in this process whose disk failed.
        if (changes && this.#maybeApplied) throw new OutcomeUnknownError({}, { cause: failure.error });
        throw failure.error;
      case 'ended':
        // An attempt that was under way just now may have been applied, too.
        this.#maybeApplied = true;
        return 0;
      default:
        return failure satisfies never;
    }
  }

  /** @param changes whether an attempt of this verb may have changed something */
  givingUp(changes: boolean, giveUpAfterMs: number): HoldfastError {
    const detail = `No answer within ${giveUpAfterMs} ms.`;
    if (changes && this.#maybeApplied) return new OutcomeUnknownError({ detail }, { cause: this.#lastError });
    if (this.#lastError instanceof HoldfastError) return this.#lastError;
    return new HoldfastError('HF_UNREACHABLE', { detail }, { cause: this.#lastError });
  }

  #afterRefusal(error: HoldfastError, changes: boolean): number {
    const { refusals } = this.#failures;
    refusals.set(error.code, (refusals.get(error.code) ?? 0) + 1);
    this.#maybeApplied ||= error.applied === 'unknown';
    this.#lastError = error;
    const reaction = reactions[error.code];
    switch (reaction) {
      case 'throw':
        throw error;
      case 'tell':
        if (!changes || !this.#maybeApplied) throw error;
        throw new OutcomeUnknownError(
          { detail: `An earlier attempt got no answer, and its repeat was refused: ${error.code}.` },
          { cause: error },
        );
      case 'another':
        return this.#another();
      case 'later':
        return Math.max(Math.min(error.facts.retryAfterMs ?? 0, courseBounds.retryAfterMs), this.#backoff());
      case 'few':
        this.#faults += 1;
        if (this.#faults >= courseBounds.internalFaults) throw error;
        return this.#afterElection(error.facts);
      case 'wait':
        return this.#afterElection(error.facts);
      default:
        return reaction satisfies never;
    }
  }

  /** Asks each node once without a pause: a dead one answers nothing, and the next may lead already. */
  #another(): number {
    this.#node = this.#choice.after(this.#node);
    this.#asked += 1;
    return this.#asked < this.#choice.count ? 0 : this.#backoff();
  }

  #afterElection(facts: ErrorFacts): number {
    const refused = this.#node;
    this.#node = this.#choice.after(refused);
    const { leaderApi } = facts;
    if (leaderApi !== undefined && originOf(leaderApi) !== refused && this.#choice.follow(leaderApi)) {
      this.#node = this.#choice.preferred();
      this.#asked += 1;
      // Two nodes that each take the other for the leader must not be asked in a busy loop.
      if (this.#asked < this.#choice.count) return 0;
    }
    return this.#backoff();
  }

  /** Short, and jittered: an election takes 100 to 300 ms, and a pause that is too long is added to it. */
  #backoff(): number {
    this.#asked = 0;
    const backoffMs = this.#backoffMs;
    this.#backoffMs = Math.min(backoffMs * courseBounds.backoffGrowth, courseBounds.backoffMs);
    return backoffMs * (0.5 + this.#random() / 2);
  }
}
