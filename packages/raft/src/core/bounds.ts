// The limits of the core that nobody configures. The configurable ones are in CoreConfig.

/** Larger terms are nonsense from outside: taking one over would leave no room to count on. */
export const maxTerm = 2 ** 48;

/** Pre-votes on the evidence of a dead leader, before the ordinary election timeout takes over again. */
export const maxFastAttempts = 16;

/** A candidate waits for its backlog as long as apply moves; without a move, for this many election timeouts. */
export const backlogPatienceElections = 10;

/**
 * The time that a disk took for a vote puts the next election off, by twice as much. Of that time no more counts than this many
 * election timeouts: a disk that hung is no measure.
 */
export const diskPatienceElections = 4;

/** After a pause that was longer than an election, a leader must hear its quorum within this many heartbeats. */
export const graceHeartbeats = 2;

/** Voters and learners of one cluster. */
export const maxMembers = 32;

/** Calls of `readIndex` that wait for their answer; more fail at once. */
export const maxWaitingReads = 16_384;

/** A read that has no answer after this many election timeouts has failed. */
export const readPatienceElections = 2;

/** An unanswered probe is repeated after this many heartbeats, then after twice as many, and so on ... */
export const probePatienceHeartbeats = 2;

/** ... up to this many election timeouts: a follower with a stalled disk is not sent the same entries for ever. */
export const maxProbePatienceElections = 4;

/**
 * What was sent to a follower counts as lost after an election timeout without an acknowledgement, or after twice the time that
 * the last one took if that is more, and at the latest after this many election timeouts: over a slow link an append of a
 * mebibyte takes seconds.
 */
export const maxReplicatePatienceElections = 16;
