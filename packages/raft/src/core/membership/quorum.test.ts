import { expect, test } from 'vitest';
import { majorityOf, quorumIndex } from './quorum.ts';

/** All lists of `length` values from 0 to `max`. */
function lists(length: number, max: number): number[][] {
  if (length === 0) return [[]];
  const values = Array.from({ length: max + 1 }, (_, value) => value);
  return lists(length - 1, max).flatMap((rest) => values.map((value) => [...rest, value]));
}

test('two majorities of one set have a voter in common, and less than a majority does not do', () => {
  for (let voters = 1; voters <= 7; voters += 1) {
    const majority = majorityOf(voters);
    expect(2 * majority).toBeGreaterThan(voters);
    expect(2 * (majority - 1)).toBeLessThanOrEqual(voters);
  }
});

test('majorities before and after a change of one voter have a voter in common, of any 7', () => {
  for (let before = 1; before <= 7; before += 1) {
    for (let all = 0; all < 2 ** (before + 1); all += 1) {
      for (let other = 0; other < 2 ** (before + 1); other += 1) {
        // The bits of `all` are a majority of the first `before` voters, those of `other` of one voter more.
        if (all >= 2 ** before || bits(all) < majorityOf(before) || bits(other) < majorityOf(before + 1)) continue;
        if ((all & other) === 0) throw new Error(`${before} voters: ${all.toString(2)} and ${other.toString(2)}`);
      }
    }
  }
  // The test can fail: with two voters more there are majorities apart.
  expect(majorityOf(2) + majorityOf(4)).toBeGreaterThan(4);
  expect(majorityOf(1) + majorityOf(3)).toBeLessThanOrEqual(3);
});

test('the index of a majority is the largest that a majority has reached: every list up to 7 voters', () => {
  for (let voters = 1; voters <= 7; voters += 1) {
    for (const reached of lists(voters, voters <= 5 ? 4 : 3)) {
      const byHand = Math.max(
        ...[0, ...reached].filter(
          (index) => index === 0 || reached.filter((one) => one >= index).length >= Math.floor(voters / 2) + 1,
        ),
      );
      const told = quorumIndex([...reached]);
      if (told !== byHand) throw new Error(`${reached.join(' ')}: ${told} instead of ${byHand}`);
    }
  }
  expect(quorumIndex([])).toBe(0);
});

const bits = (value: number): number => value.toString(2).replaceAll('0', '').length;
