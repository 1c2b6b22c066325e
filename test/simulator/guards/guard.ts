// A guard is a line of the product without which something is lost, doubled, early, late or untrue. It is taken out by
// changing its text; the simulator must notice within so many seeds.
import type { ProfileName } from '../profile.ts';

export interface Change {
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly text: string;
  readonly instead: string;
}

export interface Guard {
  readonly name: string;
  /** What holds because of it; [H1] and so on are the model's rules. */
  readonly rule: string;
  /** Where the rule matters. With several of them seeds take turns. */
  readonly profiles: readonly [ProfileName, ...ProfileName[]];
  /** The simulator must fail within so many. */
  readonly seeds: number;
  /** Where that many seeds begin; 1. */
  readonly from?: number;
  /**
   * Bounds that are made small, so that the rule matters in a run of a few seconds. Nothing may fail by them alone: a seed
   * counts only when it passes with them and with the guard in its place.
   */
  readonly settings?: readonly Change[];
  /** What must be broken for it to count, in the words of the check: with such settings a run may also be merely slow. */
  readonly missedBy?: RegExp;
  /** More than one where the same rule is kept twice, by who proposes and by who applies. */
  readonly changes: readonly Change[];
}

export type Removal = Pick<Guard, 'name' | 'changes'>;

/**
 * @param file from the root of the repository, whose text is `source`
 * @returns the text with these changes
 * @throws when a text that is to be changed is not there exactly once
 */
export function takeOut({ name, changes }: Removal, file: string, source: string): string {
  let text = source;
  for (const change of changes) {
    if (change.file !== file) continue;
    if (text.split(change.text).length !== 2)
      throw new Error(`${name}: ${file} does not hold exactly once: ${change.text}`);
    text = text.replace(change.text, () => change.instead);
  }
  return text;
}

/** A leader that serves nobody for a while goes by itself: the second line of those that end, or heal, a leadership without a majority. */
export const idleLeaderStays: Change = {
  file: 'packages/server/src/create-member.ts',
  text: 'stepDown: () => replica.stepDown(),',
  instead: 'stepDown: () => {},',
};
