// A configuration as one of its nodes sees it: who counts, whom it talks to, and whether it is asked at all.
import type { NodeId } from '../message.ts';
import type { Configuration } from './configuration.ts';
import { majorityOf } from './quorum.ts';

/** A configuration, and the entry that said it; index 0: the founding. */
export interface LoggedConfiguration {
  readonly index: number;
  readonly configuration: Configuration;
}

export interface Roster extends LoggedConfiguration {
  readonly voters: readonly NodeId[];
  /** Voters and learners, without this node. */
  readonly others: readonly NodeId[];
  readonly otherVoters: readonly NodeId[];
  /** How many voters are a majority. */
  readonly majority: number;
  readonly isVoter: boolean;
  /** Nobody else has a vote. */
  readonly isAlone: boolean;
}

export function rosterOf({ index, configuration }: LoggedConfiguration, self: NodeId): Roster {
  const voters = configuration.voters.map((member) => member.id);
  const learners = configuration.learners.map((member) => member.id);
  const otherVoters = voters.filter((id) => id !== self);
  const isVoter = voters.includes(self);
  return {
    index,
    configuration,
    voters,
    others: [...otherVoters, ...learners.filter((id) => id !== self)],
    otherVoters,
    majority: majorityOf(voters.length),
    isVoter,
    isAlone: isVoter && otherVoters.length === 0,
  };
}
