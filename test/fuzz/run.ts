// Case after case: its number decides what is tried, its seed with which values.
import { seeded } from '../simulator/random.ts';
import { commandTargets } from './codecs/commands.ts';
import { handleTargets } from './codecs/handles.ts';
import { memberTargets } from './codecs/members.ts';
import { raftTargets } from './codecs/raft.ts';
import { rowTargets } from './codecs/rows.ts';
import { oracleTargets } from './oracles.ts';
import { Fault, type Target, type Tried } from './target.ts';

export const targets: readonly Target[] = [
  ...raftTargets,
  ...memberTargets,
  ...commandTargets,
  ...rowTargets,
  ...handleTargets,
  ...oracleTargets,
];

export type Counts = Record<Tried | 'fault', number>;

export interface FuzzResult {
  readonly counts: ReadonlyMap<string, Counts>;
  /** The first of each target: what is wrong, and the case. */
  readonly faults: readonly { readonly target: string; readonly at: number; readonly says: string }[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly from: number;
  readonly cases: number;
  readonly targets: readonly Target[];
}

export function fuzz({ seed, from, cases, targets: all }: FuzzOptions): FuzzResult {
  const counts = new Map<string, Counts>(
    all.map(({ name }) => [name, { agreed: 0, refused: 0, accepted: 0, fault: 0 }]),
  );
  const faults: { target: string; at: number; says: string }[] = [];
  for (let at = from; at < from + cases; at++) {
    const target = all[at % all.length];
    const count = counts.get(target?.name ?? '');
    if (target === undefined || count === undefined) throw new Error('there is nothing to try');
    try {
      count[target.attempt(seeded(seed).fork(`case ${at}`))] += 1;
    } catch (error) {
      count.fault += 1;
      if (count.fault > 1) continue;
      const says =
        error instanceof Fault ? error.message : error instanceof Error ? (error.stack ?? '') : String(error);
      faults.push({ target: target.name, at, says });
    }
  }
  return { counts, faults };
}
