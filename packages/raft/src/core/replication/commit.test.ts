import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { command, memberOf } from '../../../test/core/harness.ts';
import { accept, leader } from '../../../test/core/roles.ts';

const all = ['a', 'b', 'c', 'd', 'e'];

/** The largest index that more than half of the voters hold, tried from the top. */
function byHand(reached: readonly number[], last: number): number {
  for (let index = last; index > 0; index -= 1)
    if (2 * reached.filter((one) => one >= index).length > reached.length) return index;
  return 0;
}

test('what is committed is what more than half of the voters have, learners and removed ones not counted', () => {
  const acknowledgements = fc.array(fc.tuple(fc.constantFrom('b', 'c', 'd', 'e', 'learner'), fc.nat(6)), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 5 }),
      fc.constantFrom('none', 'learner', 'remove'),
      acknowledgements,
      (size, change, acks) => {
        const voters = all.slice(0, size);
        const a = leader({ voters });
        for (const from of voters.slice(1)) accept(a, from, a.status.lastIndex);
        a.settle();
        const gone = change === 'remove' ? voters.at(-1) : undefined;
        if (change === 'learner') a.core.changeMembership({ kind: 'addLearner', member: memberOf('learner') });
        if (gone !== undefined) a.core.changeMembership({ kind: 'remove', id: gone });
        for (let i = 0; i < 5; i += 1) a.core.propose(command('x'));
        a.settle();
        const last = a.status.lastIndex;
        const counting = voters.filter((voter) => voter !== gone);
        const reached = new Map(counting.map((voter) => [voter, voter === 'a' ? last : 1]));
        const expected = (): number => Math.max(1, byHand([...reached.values()], last));
        expect(a.status.commit).toBe(expected());
        for (const [from, index] of acks) {
          const at = Math.min(1 + index, last);
          // What was not sent to it yet, for want of room in its window, is not believed.
          const known = a.status.followers.get(from)?.match ?? 0;
          accept(a, from, at);
          const match = a.status.followers.get(from)?.match ?? 0;
          expect(match === known || match === at).toBe(true);
          if (reached.has(from)) reached.set(from, Math.max(reached.get(from) ?? 0, match));
          a.settle();
          expect(a.status.commit).toBe(expected());
        }
      },
    ),
    { numRuns: 300 },
  );
});
