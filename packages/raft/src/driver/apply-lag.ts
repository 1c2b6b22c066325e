// How far a majority is behind with applying. A leader that commits faster than its followers can apply prepares a
// failover that must first apply a minute of log; so it waits for them.
//
// Work is measured in time: a majority lags when it has not applied yet what was committed `maxLagMs` ago.
import type { CoreStatus } from '../core/types.ts';

export class ApplyLag {
  readonly #maxLagMs: number;
  /** Commit index at each tick, the oldest first; the first is the last one from before the window. */
  readonly #commits: { readonly atMs: number; readonly commit: number }[] = [];

  constructor(maxLagMs: number) {
    this.#maxLagMs = maxLagMs;
  }

  tick(nowMs: number, commit: number): void {
    const last = this.#commits.at(-1);
    if (last?.commit !== commit) this.#commits.push({ atMs: nowMs, commit });
    while ((this.#commits[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - this.#maxLagMs) this.#commits.shift();
  }

  isBehind(nowMs: number, status: CoreStatus): boolean {
    const old = this.#commits[0];
    return old !== undefined && old.atMs <= nowMs - this.#maxLagMs && appliedByMajority(status) < old.commit;
  }
}

/** The highest index that a majority, this leader among them, is known to have applied. */
function appliedByMajority(status: CoreStatus): number {
  const applied = status.isVoter ? [status.applied] : [];
  for (const follower of status.followers.values()) if (follower.voter) applied.push(follower.applied);
  applied.sort((a, b) => b - a);
  return applied[Math.floor(applied.length / 2)] ?? 0;
}
