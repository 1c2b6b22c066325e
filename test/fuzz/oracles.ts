// The arithmetic of majorities and of logs beside its definition: every subset, every index, one by one.
import type { Entry } from '@holdfast/raft';
import type { Random } from '../simulator/random.ts';
import { entry, logView, quorum, tally } from './internals.ts';
import { Fault, type Target } from './target.ts';

const noBytes = new Uint8Array(0);

/** All majorities of `voters`, by trying every subset: those that any two of which must meet. */
function majorities(voters: readonly string[]): readonly (readonly string[])[] {
  const subsets = Array.from({ length: 2 ** voters.length }, (_, bits) =>
    voters.filter((_voter, at) => (bits & (1 << at)) !== 0),
  );
  return subsets.filter((subset) => subset.length > voters.length - subset.length);
}

function check(says: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Fault(`${says}: ${String(got)}, and by definition ${String(wanted)}`);
}

const drawVoters = (random: Random): readonly string[] =>
  Array.from({ length: random.int(1, 7) }, (_, at) => `n${at + 1}`);

const committed: Target = {
  name: 'quorum index',
  attempt(random) {
    const voters = drawVoters(random);
    const reached = new Map(voters.map((voter) => [voter, random.int(0, 6)]));
    const wanted = Math.max(
      ...majorities(voters).map((majority) => Math.min(...majority.map((voter) => reached.get(voter) ?? 0))),
    );
    check(`${[...reached.values()].join()} have reached`, quorum.quorumIndex([...reached.values()]), wanted);
    const least = Math.min(...majorities(voters).map(({ length }) => length));
    check(`a majority of ${voters.length}`, quorum.majorityOf(voters.length), least);
    return 'agreed';
  },
};

const election: Target = {
  name: 'tally of votes',
  attempt(random) {
    const voters = drawVoters(random);
    const votes = new tally.Tally(voters);
    const granted = new Set<string>();
    const refused = new Set<string>();
    for (let left = random.int(0, 10); left > 0; left--) {
      // A learner answers, too, and has no vote.
      const voter = random.pick([...voters, 'learner']);
      const grants = random.chance(0.5);
      votes.count(voter, grants);
      if (voter !== 'learner') (grants ? granted : refused).add(voter);
    }
    const down = new Set(voters.filter(() => random.chance(0.2)));
    const says = `granted ${[...granted].join()}, refused ${[...refused].join()}, down ${[...down].join()} of ${voters.length}`;
    const all = majorities(voters);
    check(
      `${says}: won`,
      votes.won,
      all.some((majority) => majority.every((voter) => granted.has(voter))),
    );
    const mayGrant = (voter: string): boolean => granted.has(voter) || (!refused.has(voter) && !down.has(voter));
    check(`${says}: lost`, votes.isLost(down), !all.some((majority) => majority.every(mayGrant)));
    return 'agreed';
  },
};

/** A durable beginning, behind it what is not durable yet; perhaps with its oldest entries cut away. */
function drawLog(random: Random) {
  let term = 1;
  const terms = Array.from({ length: random.int(0, 12) }, () => (term += random.pick([0, 0, 1, 3])));
  const durable = random.int(0, terms.length);
  const entries = terms.map((of, at) => entry.encodeEntry(at + 1, of, 'commands', noBytes));
  const reader = {
    firstIndex: 1,
    lastIndex: durable,
    term: (index: number): number | undefined => (index === 0 ? 0 : index <= durable ? terms[index - 1] : undefined),
    entries: (from: number, to: number): readonly Entry[] => entries.slice(from - 1, Math.min(to, durable)),
  };
  const view = new logView.LogView(reader);
  for (const one of entries.slice(durable)) view.append(one);
  return { terms, view };
}

const logs: Target = {
  name: 'terms of a log',
  attempt(random) {
    const { terms, view } = drawLog(random);
    const termAt = (index: number): number => (index === 0 ? 0 : (terms[index - 1] ?? 0));
    const [index, term] = [random.int(0, terms.length + 2), random.int(0, 20)];
    const says = `terms ${terms.join()}, index ${index}, term ${term}`;
    const below = Array.from({ length: Math.min(index, terms.length) + 1 }, (_, at) => at);
    check(
      `${says}: last up to`,
      view.lastWithTermUpTo(index, term),
      below.findLast((at) => termAt(at) <= term),
    );
    const lastTerm = termAt(terms.length);
    // Thesis 3.6.1: the later last term wins; with equal last terms, the longer log.
    const upToDate = term === lastTerm ? index >= terms.length : term > lastTerm;
    check(`${says}: up to date`, view.isUpToDate(index, term), upToDate);
    check(`${says}: last index`, view.lastIndex, terms.length);
    check(`${says}: last term`, view.lastTerm, lastTerm);
    return 'agreed';
  },
};

export const oracleTargets: readonly Target[] = [committed, election, logs];
