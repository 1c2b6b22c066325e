// What must hold of members whenever a node is looked at, by what leaders say of those that they lead.
import type { NodeId } from '@holdfast/raft';
import type { Lead, LiveCheck, Sight } from './live.ts';

/** The same leadership, twice. */
function leadBefore({ life, term }: Sight, before: Sight | undefined): { lead: Lead; commit: number } | undefined {
  if (before?.leads === undefined || before.life !== life || before.term !== term) return undefined;
  return { lead: before.leads, commit: before.commit };
}

/** A leader that counts anybody else, or itself when it has no vote, is found out before what it counted is lost. */
export function votersCommit(): LiveCheck {
  return {
    says: 'what a leader commits is on the disks of a majority of the voters',
    see(sight, before) {
      const { id, commit, leads } = sight;
      const led = leadBefore(sight, before);
      // A change of the members between two looks leaves open which of them was counted.
      if (leads === undefined || led === undefined || led.lead.configurationIndex !== leads.configurationIndex)
        return undefined;
      if (commit === led.commit) return undefined;
      const holders = [...leads.voters.values()].filter((index) => index >= commit).length;
      if (holders > leads.voters.size / 2) return undefined;
      return `${id} has committed ${commit}, which ${holders} of ${leads.voters.size} voters have`;
    },
  };
}

export function membersChangeOneByOne(): LiveCheck {
  return {
    says: 'members change after an entry of the own term is committed, and the change before',
    see(sight, before) {
      const { id, commit, leads } = sight;
      const led = leadBefore(sight, before);
      if (leads === undefined || led === undefined) return undefined;
      const { termStartIndex, configurationIndex } = leads;
      if (configurationIndex === led.lead.configurationIndex) return undefined;
      const first = Math.max(termStartIndex, led.lead.configurationIndex);
      return commit >= first
        ? undefined
        : `${id} has changed the members at ${configurationIndex}, and has committed ${commit} and not ${first}`;
    },
  };
}

/** Whoever is given a vote can be counted on soon (thesis 4.2.1). */
export function newVotersHaveNearlyEverything(mostBehind: number): LiveCheck {
  return {
    says: 'who is given a vote has nearly everything',
    see(sight, before) {
      const { id, leads } = sight;
      const led = leadBefore(sight, before);
      if (leads === undefined || led === undefined) return undefined;
      for (const [voter, match] of leads.voters) {
        if (!led.lead.voters.has(voter) && match < leads.configurationIndex - 1 - mostBehind)
          return `${id} has given a vote to ${voter} at ${leads.configurationIndex}, which has ${match}`;
      }
      return undefined;
    },
  };
}

export function nothingIsProposedWhileALeaderGoes(): LiveCheck {
  return {
    says: 'a leader that hands over appends nothing more',
    see(sight, before) {
      const { id, leads, lastIndex } = sight;
      const to = leadBefore(sight, before)?.lead.transferringTo;
      if (before === undefined || to === undefined || leads?.transferringTo !== to) return undefined;
      return lastIndex === before.lastIndex
        ? undefined
        : `${id} hands over to ${to}, and has appended ${lastIndex} after ${before.lastIndex}`;
    },
  };
}

/** Where nothing goes wrong it takes one election, and nobody waits for a timeout. */
export function whoIsNamedLeadsNext(): LiveCheck {
  const named = new Map<number, NodeId>();
  return {
    says: 'who is named as the next leader leads the next term',
    see({ id, term, leads }) {
      if (leads === undefined) return undefined;
      if (leads.transferringTo !== undefined) named.set(term, leads.transferringTo);
      for (const [left, to] of named) {
        if (left < term && (to !== id || term !== left + 1))
          return `${to} was to lead after term ${left}, and ${id} leads term ${term}`;
        if (left < term) named.delete(left);
      }
      return undefined;
    },
  };
}
