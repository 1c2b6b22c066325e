// Which entries of the log go, a few with each turn.
import type { LogStore } from '../log/log-store.ts';

/**
 * How much of the log is kept behind the applied index (thesis 5). What is applied everywhere is needed by nobody; what a
 * member that comes back needs can be sent as entries for a while, and as a snapshot after that.
 */
export interface Retention {
  /** The log is cut to so many bytes ... */
  readonly retainBytes: number;
  /** ... and to so many applied entries, whichever is less. */
  readonly retainEntries: number;
  /** Entries that a member which is catching up still needs are kept up to so many bytes of log. */
  readonly catchUpBytes: number;
}

/** 64 MiB or 500,000 entries; up to 256 MiB for those who catch up. */
export const defaultRetention: Retention = {
  retainBytes: 64 * 2 ** 20,
  retainEntries: 500_000,
  catchUpBytes: 256 * 2 ** 20,
};

/** What one turn compacts at most. Their sizes are read from the disk, while the event loop waits. */
const stepEntries = 512;
const stepBytes = 8 * 2 ** 20;

export class Compaction {
  readonly #log: Pick<LogStore, 'firstIndex' | 'logBytes' | 'entryBytes'>;
  readonly #retention: Retention;
  /** Entries that were compacted since the start. */
  compacted = 0;

  constructor(log: Pick<LogStore, 'firstIndex' | 'logBytes' | 'entryBytes'>, retention: Retention) {
    this.#log = log;
    this.#retention = retention;
  }

  /**
   * The first index that the next turn is to leave; undefined when nothing goes.
   *
   * @param applied the applied index that is on the disk with that turn: nothing behind it ever goes [P4]
   * @param neededFrom the first entry that somebody who is catching up needs
   */
  next(applied: number, neededFrom: number): number | undefined {
    const { retainBytes, retainEntries, catchUpBytes } = this.#retention;
    const { firstIndex } = this.#log;
    let { logBytes } = this.#log;
    let first = firstIndex;
    const leastBytes = logBytes - stepBytes;
    while (first <= applied && first < firstIndex + stepEntries && logBytes > leastBytes) {
      const isKept = logBytes <= retainBytes && applied - first < retainEntries;
      const isNeeded = first >= neededFrom && logBytes <= catchUpBytes;
      if (isKept || isNeeded) break;
      logBytes -= this.#log.entryBytes(first);
      first += 1;
    }
    if (first === firstIndex) return undefined;
    this.compacted += first - firstIndex;
    return first;
  }
}
