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
  readonly profile: ProfileName;
  /** The simulator must fail within so many. */
  readonly seeds: number;
  /** More than one where the same rule is kept twice, by who proposes and by who applies. */
  readonly changes: readonly Change[];
}
