// Assertions of the core, on in production: a node whose own state is impossible must stop, not vote.

/** The core's own state, or the protocol itself, is broken. Fatal: the owner stops the node and says so. */
export class InvariantViolated extends Error {
  override readonly name = 'InvariantViolated';
}

export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new InvariantViolated(what);
}
