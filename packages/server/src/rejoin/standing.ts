// How a member that has lost its directory stands in its cluster, and whether it may have itself replaced now.
import type { AnswerOf } from '@holdfast/api';

export type Standing =
  /** This directory is a member: the leader gives it its vote. */
  | { readonly kind: 'listed' }
  /** The directory that is gone is a member, nobody runs it, and the others can go on without it. */
  | { readonly kind: 'lost'; readonly incarnation: string }
  /** There is no member of this name. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'wait'; readonly why: string };

/**
 * @param seen the members, as their leader knows them
 * @param incarnation of the directory that is to be taken in; undefined while there is none
 */
export function standingOf(seen: AnswerOf<'members'>, id: string, incarnation: string | undefined): Standing {
  // Whatever the list says: an entry that is not committed may be taken back, this member's own among them.
  if (!seen.settled) return waits('a change of the members is under way');
  const self = seen.members.find((member) => member.id === id);
  if (self !== undefined && self.incarnation === incarnation) return { kind: 'listed' };
  const others = seen.members.filter((member) => member.id !== id);
  // One at a time: a second one that is away would make a majority of those who are there, and then of nobody.
  if (others.some(({ role }) => role === 'learner')) return waits('another node is being taken in');
  const reachable = others.filter((other) => other.reachable).length;
  if (reachable <= others.length / 2) return waits('the others are no majority without this member');
  if (self === undefined) return { kind: 'absent' };
  if (seen.leader === id || self.reachable) return waits(`a process runs as ${id}, or did a moment ago`);
  return { kind: 'lost', incarnation: self.incarnation };
}

const waits = (why: string): Standing => ({ kind: 'wait', why });
