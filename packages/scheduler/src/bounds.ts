// Every limit of the scheduler, with its reason. What is refused, put off or cut at a limit is counted under the limit's name.

/** Counts are rows or commands, sizes are bytes, times are ms. */
export interface Bounds {
  /** Long polls of one group: more are consumers that wait for each other, not for messages. */
  readonly waitingReceivesPerGroup: number;
  readonly waitingReceives: number;
  /** Leases are held in memory, about 300 bytes each. */
  readonly leasesPerGroup: number;
  readonly leases: number;
  /** Lane rows and retry rows of one lease command; apply refuses more. */
  readonly rowsPerCommand: number;
  /** The second names the first's `to` as its `from`: it hides one commit, a third would hide nothing more. */
  readonly leaseCommandsPerGroup: number;
  readonly leaseCommands: number;
  readonly releaseCommands: number;
  /** Positions of one group that are kept ahead of its cursor, and as many retries. */
  readonly windowPositions: number;
  readonly holdsPerSlice: number;
  readonly collectRows: number;
  /** A turn of one group takes about so many bytes of bodies, by the mean of what it delivered before. */
  readonly sliceBytes: number;
  /** One answer carries so many bytes, or one message; what is over is given back. */
  readonly answerBytes: number;
  /** Receive ids that were abandoned after a lease was made for them, and answer nobody. */
  readonly abandonedIds: number;
  /** A group that nobody asks keeps its window so long. */
  readonly idleGroupMs: number;
  /** Whoever waits for cluster time sleeps no longer: a clock that jumped ahead is noticed after so long. */
  readonly maxSleepMs: number;
  /** While a quorum's answer is in doubt, it is asked for again so often. */
  readonly doubtCheckMs: number;
  /** After a proposal that failed: the first and the longest pause before the rows are looked at again. */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
}

export const defaultBounds: Bounds = {
  waitingReceivesPerGroup: 1_000,
  waitingReceives: 10_000,
  leasesPerGroup: 100_000,
  leases: 200_000,
  rowsPerCommand: 256,
  leaseCommandsPerGroup: 2,
  leaseCommands: 128,
  releaseCommands: 8,
  windowPositions: 1_024,
  holdsPerSlice: 512,
  collectRows: 256,
  sliceBytes: 4 * 1_048_576,
  answerBytes: 8 * 1_048_576,
  abandonedIds: 10_000,
  idleGroupMs: 60_000,
  maxSleepMs: 1_000,
  doubtCheckMs: 10,
  retryFirstMs: 5,
  retryMaxMs: 500,
};

/** How often each limit was met, or a proposal came to nothing. */
export class Counters {
  readonly #counts = new Map<string, number>();

  count(name: string, by = 1): void {
    if (by === 0) return;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  all(): ReadonlyMap<string, number> {
    return new Map(this.#counts);
  }
}

/** @param failures in a row, from 1 @returns ms to wait before the next attempt */
export function pauseMs(failures: number, bounds: Bounds): number {
  return Math.min(bounds.retryMaxMs, bounds.retryFirstMs * 2 ** Math.min(failures - 1, 20));
}
