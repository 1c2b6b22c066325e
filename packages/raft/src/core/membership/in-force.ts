// Which configuration counts: the newest in the log, committed or not (thesis 4.1). It comes with its entry and goes with it.
import { assert } from '../assert.ts';
import { maxProbePatienceElections, maxReplicatePatienceElections, probePatienceHeartbeats } from '../bounds.ts';
import type { Entry, NodeId } from '../message.ts';
import type { Raft } from '../raft.ts';
import { Progress } from '../replication/progress.ts';
import { decodeConfiguration } from './configuration.ts';
import type { LoggedConfiguration } from './roster.ts';
import { rosterOf } from './roster.ts';

/** To be called for each entry that is appended: from here on its configuration counts, for votes and for commitment. */
export function maybeEnforce(raft: Raft, { kind, index, payload }: Entry): void {
  if (kind !== 'configuration') return;
  const configuration = decodeConfiguration(payload);
  assert(configuration !== undefined, 'an entry that says who the members are can be read');
  enforce(raft, [...raft.configurations, { index, configuration }]);
}

/** The log is cut off at `from`: what was said there or behind counts no more. */
export function rollBack(raft: Raft, from: number): void {
  if (raft.roster.index < from) return;
  enforce(
    raft,
    raft.configurations.filter((said) => said.index < from),
  );
}

/** Another log takes the place of this one. */
export function replaceConfigurations(raft: Raft, said: LoggedConfiguration): void {
  enforce(raft, [said]);
}

/** What is applied is never rolled back: of those the newest is enough. */
export function forgetConfigurations(raft: Raft): void {
  if (raft.restore !== undefined) return; // that of the state to come is ahead of what is applied
  const newest = raft.configurations.findLastIndex(({ index }) => index <= raft.applied);
  assert(newest !== -1, 'there is a configuration at or before the applied index');
  if (newest > 0) raft.configurations = raft.configurations.slice(newest);
}

/**
 * A voter may stand for election, and so may one whose removal is not known to be committed: it may be the only one with
 * a log that can win, and then nobody else ever could (thesis 4.2.2). It does not count its own vote.
 */
export function mayStand({ roster, configurations, commit, config }: Raft): boolean {
  if (roster.isVoter) return true;
  const committed = configurations.findLastIndex(({ index }) => index <= commit);
  const open = configurations.slice(Math.max(0, committed));
  return open.some(({ configuration }) => configuration.voters.some((member) => member.id === config.id));
}

/** One progress for each other member: who is new begins at `next`, who is no member any more is let go. */
export function tendFollowers(raft: Raft, followers: Map<NodeId, Progress>, next: number): void {
  const { config, roster, now } = raft;
  for (const id of followers.keys()) if (!roster.others.includes(id)) followers.delete(id);
  const limits = {
    maxInflightAppends: config.maxInflightAppends,
    maxInflightBytes: config.maxInflightBytes,
    probePatienceTicks: probePatienceHeartbeats * config.heartbeatTicks,
    maxProbePatienceTicks: maxProbePatienceElections * config.electionMaxTicks,
    replicatePatienceTicks: config.electionMinTicks,
    maxReplicatePatienceTicks: maxReplicatePatienceElections * config.electionMaxTicks,
  };
  for (const id of roster.others) if (!followers.has(id)) followers.set(id, new Progress(limits, next, now));
}

function enforce(raft: Raft, configurations: readonly LoggedConfiguration[]): void {
  const latest = configurations.at(-1);
  assert(latest !== undefined, 'some configuration always counts');
  raft.configurations = configurations;
  raft.roster = rosterOf(latest, raft.config.id);
  for (const id of raft.down) if (!raft.roster.others.includes(id)) raft.down.delete(id); // it is missed no more
  if (raft.own.role === 'leader') tendFollowers(raft, raft.own.followers, raft.log.lastIndex);
}
