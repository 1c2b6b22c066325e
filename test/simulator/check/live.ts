// What must hold after every step, on every node that the step touched. The rules are told what a node looks like from
// outside; they remember what nodes looked like before.
import type { NodeId, Role } from '@holdfast/raft';

/** What a leader knows of the members. */
export interface Lead {
  readonly termStartIndex: number;
  /** The entry that said who the members are. */
  readonly configurationIndex: number;
  /** To whom it hands over. */
  readonly transferringTo: NodeId | undefined;
  /** How much of the log each voter has on its disk, as far as this leader knows. */
  readonly voters: ReadonlyMap<NodeId, number>;
}

/** A node right after something happened on it. */
export interface Sight {
  readonly id: NodeId;
  /** Which start of its process. */
  readonly life: number;
  readonly role: Role;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly durableIndex: number;
  readonly stateHash: string;
  /** Cluster time, as of what is applied. */
  readonly clockMs: number;
  /** The own clock that never jumps. */
  readonly monotonicMs: number;
  /** How long a leader's majority has been silent, by that clock. */
  readonly quorumSilentMs: number;
  /** It leads, and answers requests. */
  readonly serves: boolean;
  /** How many voters' clocks it can compare; none while it knows fewer than a quorum of them. */
  readonly clocksKnown: number;
  /** Undefined where it leads nobody. */
  readonly leads: Lead | undefined;
}

export interface LiveCheck {
  readonly says: string;
  /** @returns a sentence when what is seen must not be */
  see(sight: Sight, before: Sight | undefined): string | undefined;
}

export function oneLeaderATerm(): LiveCheck {
  const leaders = new Map<number, NodeId>();
  return {
    says: 'a term has one leader at most',
    see({ id, role, term }) {
      if (role !== 'leader') return undefined;
      const known = leaders.get(term) ?? id;
      leaders.set(term, known);
      return known === id ? undefined : `${known} and ${id} both lead term ${term}`;
    },
  };
}

/** Within a life everything only rises. A new life begins at what was durable: the term, and nothing else that was promised. */
export function nothingGoesBack(): LiveCheck {
  return {
    says: 'term, commit, applied index and cluster time never go back',
    see(sight, before) {
      if (before === undefined) return undefined;
      if (sight.life !== before.life) return undefined;
      for (const name of ['term', 'commit', 'applied', 'clockMs'] as const) {
        if (sight[name] < before[name]) return `${sight.id}: ${name} was ${before[name]} and is ${sight[name]}`;
      }
      if (sight.applied > sight.commit) return `${sight.id}: applied ${sight.applied} is beyond commit ${sight.commit}`;
      return sight.applied > sight.durableIndex
        ? `${sight.id}: applied ${sight.applied} is beyond its own disk, ${sight.durableIndex}`
        : undefined;
    },
  };
}

/** The hash covers every row change since the beginning, so this also says that what was committed once stays. */
export function equalStateAtEqualIndex(known: Map<number, string>): LiveCheck {
  return {
    says: 'nodes that applied the same index have the same state',
    see({ id, applied, stateHash }, before) {
      if (applied === 0 || (before?.applied === applied && before.stateHash === stateHash)) return undefined;
      const first = known.get(applied) ?? stateHash;
      known.set(applied, first);
      return first === stateHash
        ? undefined
        : `${id} at index ${applied} has ${stateHash.slice(0, 12)}, and another node had ${first.slice(0, 12)}`;
    },
  };
}

export function leadersHaveWhatWasCommitted(): LiveCheck {
  /** The highest index that was applied by a node in this term, so in this term or before. */
  const applied = new Map<number, number>();
  return {
    says: 'a leader has every entry that was committed before its term',
    see({ id, role, term, applied: index, lastIndex }, before) {
      applied.set(term, Math.max(applied.get(term) ?? 0, index));
      if (role !== 'leader' || (before?.role === 'leader' && before.term === term)) return undefined;
      for (const [earlier, committed] of applied) {
        if (earlier < term && lastIndex < committed)
          return `${id} leads term ${term} with ${lastIndex} entries, and ${committed} were committed by term ${earlier}`;
      }
      return undefined;
    },
  };
}

/** Several election timeouts. */
const longestSilenceMs = 2_500;
/** A process that stood still is silent at once when it goes on, and needs a few ticks to notice. */
const noticeMs = 500;
/** A process that runs is seen more often; one that was not has stood still again, and its time begins anew. */
const unseenMs = 300;

interface Silence {
  readonly life: number;
  readonly term: number;
  readonly fromMs: number;
  seenMs: number;
}

export function leadersAreAnswered(): LiveCheck {
  const silences = new Map<NodeId, Silence>();
  const begun = new Map<NodeId, { readonly life: number; readonly term: number; readonly atMs: number }>();
  /** Of this leadership: who was not heard before it led has nothing to answer for. */
  const silenceOf = ({ id, life, term, monotonicMs, quorumSilentMs }: Sight): number => {
    let known = begun.get(id);
    if (known?.life !== life || known.term !== term) {
      known = { life, term, atMs: monotonicMs };
      begun.set(id, known);
    }
    return Math.min(quorumSilentMs, monotonicMs - known.atMs);
  };
  return {
    says: 'a leader that no majority answers steps down',
    see(sight) {
      const { id, life, role, term } = sight;
      const silentMs = role === 'leader' ? silenceOf(sight) : 0;
      const known = silences.get(id);
      if (silentMs < longestSilenceMs) {
        silences.delete(id);
        return undefined;
      }
      const goesOn = known?.life === life && known.term === term && silentMs - known.seenMs < unseenMs;
      if (known === undefined || !goesOn) {
        silences.set(id, { life, term, fromMs: silentMs, seenMs: silentMs });
        return undefined;
      }
      known.seenMs = silentMs;
      if (silentMs - known.fromMs < noticeMs) return undefined;
      return `${id} leads term ${term}, and its majority has been silent for ${silentMs.toFixed(0)} ms`;
    },
  };
}

/** While it does not, an entry gets the time of the entry before, and a delay that begins then ends early. */
export function whoServesKnowsTheTime(): LiveCheck {
  return {
    says: 'a leader that answers requests knows a quorum of clocks',
    see({ id, term, serves, clocksKnown, leads }) {
      // What the first build says of its clocks is not judged.
      if (!serves || leads === undefined || clocksKnown > 0) return undefined;
      return `${id} serves in term ${term}, and knows the clocks of fewer than a quorum of its voters`;
    },
  };
}
