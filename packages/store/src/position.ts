// Where a message stands. Positions are unique in a topic, and their order is the order of delivery.

/** `fireAtMs` = max(deliver time, clock) in ms since the epoch; `seq` comes from a replicated counter. */
export interface Position {
  readonly fireAtMs: number;
  readonly seq: number;
}

/** Below every position. */
export const origin: Position = { fireAtMs: 0, seq: 0 };

/** Negative, 0 or positive, like every comparator. */
export function comparePositions(a: Position, b: Position): number {
  return a.fireAtMs - b.fireAtMs || a.seq - b.seq;
}
