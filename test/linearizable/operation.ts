// What the checker is told: operations as clients saw them, and what one object may do, one operation at a time.

export type Outcome<Answer> =
  | { readonly kind: 'ok'; readonly answer: Answer }
  /** Certainly not applied. */
  | { readonly kind: 'failed' }
  /** May take effect at any time after its invocation, or never. */
  | { readonly kind: 'unknown' };

export interface Operation<Call, Answer> {
  readonly call: Call;
  readonly invokedMs: number;
  /** Of the answer. Means nothing when the outcome is unknown. */
  readonly endedMs: number;
  readonly outcome: Outcome<Answer>;
}

/** What is known of the instant at which an operation takes effect in one order of them: not before, and not after. */
export interface Moment {
  readonly earliestMs: number;
  readonly latestMs: number;
}

export interface Specification<State, Call, Answer> {
  readonly initial: State;
  /**
   * Pure. More than one state follows when what happened between (time that passed) can not be told from the answer.
   * What time permits must not become forbidden when `latestMs` grows: the search relies on it.
   *
   * @param answer undefined when nobody knows it: every answer is possible
   * @returns the states that may follow, or a sentence that says why this can not happen here
   */
  step(state: State, call: Call, answer: Answer | undefined, moment: Moment): readonly State[] | string;
  /** Two states with equal text behave alike for ever. */
  textOf(state: State): string;
  /** For reports. */
  describe(call: Call, answer: Answer | undefined): string;
}
