// How old is what was applied? Cluster time can not say that alone: it jumps ahead when a clock that was behind is set right,
// or is outvoted by one that is heard again. Monotonic time does not jump.
//
// So every node keeps marks: where the replicated clock stood, and when that was. The clock never goes back along the log;
// whatever was made while it stood below a mark was applied before the mark was taken. Followers keep them, too, so that a
// new leader need not begin anew. A process that starts does: what it collects is older then, never younger.
import type { Clock } from '@holdfast/raft';

export interface AgingPorts {
  /** The replicated clock. */
  readonly clockMs: () => number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly ageMs: number;
}

export interface Aging {
  /** Called every few ms while the node runs. */
  look(): void;
  /** Whatever was made while the replicated clock stood below it is `ageMs` old; -Infinity while that is known of nothing. */
  readonly agedMs: number;
}

/** In one age: what is collected is older than it must be by one of these steps at most. */
const marksInAge = 10;

export function createAging({ clockMs, clock, ageMs }: AgingPorts): Aging {
  /** The oldest first; all but the first are younger than `ageMs`, as of the last look. */
  const marks: { readonly clockMs: number; readonly atMs: number }[] = [];

  return {
    look() {
      const nowMs = clock.monotonicMs();
      const last = marks.at(-1);
      if (last === undefined || nowMs - last.atMs >= ageMs / marksInAge)
        marks.push({ clockMs: clockMs(), atMs: nowMs });
      while ((marks[1]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs - ageMs) marks.shift();
    },
    get agedMs() {
      const [oldest] = marks;
      if (oldest === undefined || oldest.atMs > clock.monotonicMs() - ageMs) return Number.NEGATIVE_INFINITY;
      return oldest.clockMs;
    },
  };
}
