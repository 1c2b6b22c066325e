// The count of one election, pre-vote or vote: who said yes, who said no.
import { majorityOf } from '../membership/quorum.ts';
import type { NodeId } from '../message.ts';

export class Tally {
  readonly #voters: readonly NodeId[];
  readonly #granted = new Set<NodeId>();
  readonly #refused = new Set<NodeId>();

  constructor(voters: readonly NodeId[]) {
    this.#voters = voters;
  }

  /** A grant names its round by its term; a refusal does not, and may be a late one of the round before. */
  count(voter: NodeId, granted: boolean): void {
    if (!this.#voters.includes(voter)) return; // a learner answers, and has no vote
    if (granted) this.#granted.add(voter);
    else this.#refused.add(voter);
  }

  get won(): boolean {
    return this.#granted.size >= majorityOf(this.#voters.length);
  }

  /** No majority can come together any more, when those who are down stay silent. */
  isLost(down: ReadonlySet<NodeId>): boolean {
    let possible = 0;
    for (const voter of this.#voters) {
      if (this.#granted.has(voter) || (!this.#refused.has(voter) && !down.has(voter))) possible += 1;
    }
    return possible < majorityOf(this.#voters.length);
  }
}
