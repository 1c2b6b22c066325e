// Cluster time: what the voters' clocks agree on. No single wrong clock of three may make anything early, late or
// expired [H6, H7], so an entry is stamped with the lower median, never with the leader's own wall time.
//
// Every append, heartbeat and vote answer carries its sender's wall time. Delay on the way only ever makes such a sample
// too small, so the largest of a few recent ones is the best; one that is old still counts, since a dead voter's clock
// went on at about the same pace.

export interface ClusterClockOptions {
  /** The only clock that is read here. The monotonic one never jumps; both in ms. */
  readonly clock: { monotonicMs(): number; wallMs(): number };
  /** All voters at this moment. */
  readonly voters: () => readonly string[];
  readonly self: string;
  readonly maxClockSkewMs: number;
}

export interface Skew {
  readonly voter: string;
  /** Ahead of the median when positive; whole ms. */
  readonly skewMs: number;
}

export interface ClusterClock {
  /** A message of `voter` carried its wall time, in ms since the epoch. Others than the voters are ignored. */
  observe(voter: string, wallMs: number): void;
  /**
   * The stamp that an entry gets now: the lower median of the voters' clocks, never below `clockMs`. While fewer than a
   * quorum of clocks is known it is `clockMs` itself: time stands still, and things come late rather than early.
   *
   * @param clockMs the replicated clock @returns whole ms since the epoch
   */
  stampMs(clockMs: number): number;
  /** A quorum of clocks is known, so the stamp moves. */
  isKnown(): boolean;
  /** How far the median is behind the replicated clock, 0 normally. Above 0, all clocks were set back: deliveries stand still. */
  behindMs(clockMs: number): number;
  /** Undefined while the voter's clock, or the median, is not known. */
  skewMs(voter: string): number | undefined;
  /** Voters further than `maxClockSkewMs` from the median of three clocks or more. With two nobody can say who is wrong. */
  skewed(): readonly Skew[];
}

interface Sample {
  readonly atMs: number;
  /** Wall time less own monotonic time. */
  readonly offsetMs: number;
}

const keptSamples = 8;
const freshMs = 5_000;

export function createClusterClock(options: ClusterClockOptions): ClusterClock {
  const { clock, voters, self, maxClockSkewMs } = options;
  const samples = new Map<string, Sample[]>();

  function offsetMs(voter: string): number | undefined {
    if (voter === self) return voters().includes(self) ? clock.wallMs() - clock.monotonicMs() : undefined;
    const kept = samples.get(voter) ?? [];
    const sinceMs = clock.monotonicMs() - freshMs;
    const fresh = kept.filter((sample) => sample.atMs >= sinceMs).map((sample) => sample.offsetMs);
    return fresh.length > 0 ? Math.max(...fresh) : kept.at(-1)?.offsetMs;
  }

  function knownOffsets(): number[] {
    return voters()
      .map(offsetMs)
      .filter((offset) => offset !== undefined);
  }

  function medianOffsetMs(): number | undefined {
    const offsets = knownOffsets().sort((a, b) => a - b);
    const quorum = Math.floor(voters().length / 2) + 1;
    return offsets.length < quorum ? undefined : offsets[(offsets.length - 1) >> 1];
  }

  function skewMs(voter: string): number | undefined {
    const own = offsetMs(voter);
    const median = medianOffsetMs();
    return own === undefined || median === undefined ? undefined : Math.round(own - median);
  }

  return {
    observe(voter, wallMs) {
      if (voter === self || !voters().includes(voter)) return;
      const kept = samples.get(voter) ?? [];
      samples.set(voter, kept);
      // Of voters that are none any more.
      for (const known of samples.keys()) if (!voters().includes(known)) samples.delete(known);
      const atMs = clock.monotonicMs();
      kept.push({ atMs, offsetMs: wallMs - atMs });
      if (kept.length > keptSamples) kept.shift();
    },
    stampMs(clockMs) {
      const median = medianOffsetMs();
      return median === undefined ? clockMs : Math.max(clockMs, Math.floor(clock.monotonicMs() + median));
    },
    isKnown: () => medianOffsetMs() !== undefined,
    behindMs(clockMs) {
      const median = medianOffsetMs();
      return median === undefined ? 0 : Math.max(0, clockMs - Math.floor(clock.monotonicMs() + median));
    },
    skewMs,
    skewed() {
      if (knownOffsets().length < 3) return [];
      return voters().flatMap((voter): Skew[] => {
        const skew = skewMs(voter);
        return skew !== undefined && Math.abs(skew) > maxClockSkewMs ? [{ voter, skewMs: skew }] : [];
      });
    },
  };
}
