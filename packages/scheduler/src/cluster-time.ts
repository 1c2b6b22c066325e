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
  /** Those who may have a vote soon. Their clocks are listened to, and do not count. */
  readonly learners: () => readonly string[];
  readonly self: string;
  readonly maxClockSkewMs: number;
}

export interface Skew {
  readonly voter: string;
  /** Ahead of the median when positive; whole ms. */
  readonly skewMs: number;
}

export interface ClusterClock {
  /** A message of `member` carried its wall time, in ms since the epoch. Others than voters and learners are ignored. */
  observe(member: string, wallMs: number): void;
  /**
   * The stamp that an entry gets now: the lower median of the voters' clocks, never below `clockMs`. While fewer than a
   * quorum of clocks is known it is `clockMs` itself: time stands still, so what waits comes late rather than early; but a delay
   * that begins then ends early. No leader that serves may be without that quorum, as the simulator checks.
   *
   * @param clockMs the replicated clock @returns whole ms since the epoch
   */
  stampMs(clockMs: number): number;
  /** A quorum of clocks is known, so the stamp moves. */
  isKnown(): boolean;
  /** How far the median is behind the replicated clock, 0 normally. Above 0, all clocks were set back: deliveries stand still. */
  behindMs(clockMs: number): number;
  /** How far each known voter's clock is from the median, in whole ms; nobody's while the median is not known. */
  skewsMs(): ReadonlyMap<string, number>;
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
  const { clock, voters, learners, self, maxClockSkewMs } = options;
  const samples = new Map<string, Sample[]>();
  // A learner that has a vote from now on is known at once. Were it not, time could stand still for want of a quorum until it
  // is heard, and a delay that began then would be shorter by all the time since the last entry.
  const isMember = (id: string): boolean => voters().includes(id) || learners().includes(id);

  function offsetMs(voter: string): number | undefined {
    if (voter === self) return voters().includes(self) ? clock.wallMs() - clock.monotonicMs() : undefined;
    const kept = samples.get(voter);
    return kept === undefined ? undefined : bestOf(kept, clock.monotonicMs() - freshMs);
  }

  /** Of every voter whose clock is known. */
  function knownOffsets(): (readonly [voter: string, offsetMs: number])[] {
    const known: (readonly [string, number])[] = [];
    for (const voter of voters()) {
      const offset = offsetMs(voter);
      if (offset !== undefined) known.push([voter, offset]);
    }
    return known;
  }

  function medianOf(known: readonly (readonly [voter: string, offsetMs: number])[]): number | undefined {
    const quorum = Math.floor(voters().length / 2) + 1;
    if (known.length < quorum) return undefined;
    const offsets = known.map(([, offset]) => offset).sort((a, b) => a - b);
    return offsets[(offsets.length - 1) >> 1];
  }

  const medianOffsetMs = (): number | undefined => medianOf(knownOffsets());

  function skewsMs(): Map<string, number> {
    const known = knownOffsets();
    const median = medianOf(known);
    return new Map(median === undefined ? [] : known.map(([voter, offset]) => [voter, Math.round(offset - median)]));
  }

  return {
    observe(member, wallMs) {
      if (member === self || !isMember(member)) return;
      const kept = samples.get(member) ?? [];
      samples.set(member, kept);
      // Of members that are none any more.
      for (const known of samples.keys()) if (!isMember(known)) samples.delete(known);
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
    skewsMs,
    skewed() {
      const skews = skewsMs();
      if (skews.size < 3) return [];
      return [...skews].flatMap(([voter, skewMs]): Skew[] =>
        Math.abs(skewMs) > maxClockSkewMs ? [{ voter, skewMs }] : [],
      );
    },
  };
}

/** The largest offset of those since `sinceMs`; of older ones the newest. */
function bestOf(kept: readonly Sample[], sinceMs: number): number | undefined {
  let largest: number | undefined;
  for (const { atMs, offsetMs } of kept)
    if (atMs >= sinceMs && (largest === undefined || offsetMs > largest)) largest = offsetMs;
  return largest ?? kept.at(-1)?.offsetMs;
}
