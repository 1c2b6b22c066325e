import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Tally } from './tally.ts';

/** c0 to c8; the first `voters` of them have a vote, the others are learners or strangers. */
const names = Array.from({ length: 9 }, (_, i) => `c${i}`);
const votes = fc.array(fc.tuple(fc.constantFrom(...names), fc.boolean()), { maxLength: 20 });

/** All ways in which those who may still say yes could say it, tried one by one. */
function couldWin(voters: readonly string[], granted: ReadonlySet<string>, open: readonly string[]): boolean {
  for (let all = 0; all < 2 ** open.length; all += 1) {
    const yes = voters.filter(
      (voter) => granted.has(voter) || (all & (1 << open.indexOf(voter)) && open.includes(voter)),
    );
    if (2 * yes.length > voters.length) return true;
  }
  return false;
}

test('an election is won by more than half of the voters, and lost when no completion wins it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), votes, fc.subarray(names), (count, said, down) => {
      const voters = names.slice(0, count);
      const tally = new Tally(voters);
      const [granted, refused] = [new Set<string>(), new Set<string>()];
      for (const [voter, yes] of said) {
        tally.count(voter, yes);
        (yes ? granted : refused).add(voter);
      }
      const yes = voters.filter((voter) => granted.has(voter));
      const open = voters.filter((voter) => !granted.has(voter) && !refused.has(voter) && !down.includes(voter));
      expect(tally.won).toBe(2 * yes.length > voters.length);
      expect(tally.isLost(new Set(down))).toBe(!couldWin(voters, granted, open));
    }),
    { numRuns: 2_000 },
  );
});
