// Which version of rows and commands is in force is replicated: a leader raises it with a command once every member
// understands it, and nothing that an older build could not read is written or sent before.

/** The last one that this build knows; what each brings between members stands in the table of raft. */
export const newestVersion = 2;

/** From this one on the state hash is a sum over the rows, which a walk recomputes; before it, over all that ever changed. */
export const summedSince = 2;

/**
 * From this one on an answer to an idempotency key counts for as long as its row stands. The clock is no reason to pass it
 * over: it may have jumped, and the repeat of a request would be a second one. The leader collects what is old by a clock
 * that does not jump.
 */
export const answersStandSince = 2;

/** The state was raised to a version that this build does not know. It must be started by a newer one; nothing is wrong. */
export class StateTooNew extends Error {
  override readonly name = 'StateTooNew';
  readonly code = 'stateTooNew';
  readonly version: number;

  constructor(version: number) {
    super(`the state is of version ${version}, and this build knows up to ${newestVersion}: it needs a newer build`);
    this.version = version;
  }
}
