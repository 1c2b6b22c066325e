// Members brought into a role by messages alone, for the tests of single rules.
import type { CoreConfig } from '../../src/core/core.ts';
import type { Message, MessageBody, MessageKind, MessageOf, NodeId } from '../../src/core/message.ts';
import { entriesOf, Member, TestDisk } from './harness.ts';

export const message = (from: NodeId, to: NodeId, body: MessageBody): Message => ({ ...body, from, to });

/** The messages of one kind among `messages`. */
export function only<K extends MessageKind>(kind: K, messages: readonly Message[]): MessageOf<K>[] {
  return messages.filter((sent): sent is Message & MessageOf<K> => sent.kind === kind);
}

export interface Beginning {
  /** Terms of the entries on the disk. */
  readonly log?: readonly number[];
  readonly term?: number;
  readonly voters?: readonly NodeId[];
  readonly config?: Partial<CoreConfig>;
}

export function member(id: NodeId, beginning: Beginning = {}): Member {
  const { log = [], voters = ['a', 'b', 'c'], config = {} } = beginning;
  const term = beginning.term ?? log.at(-1) ?? 0;
  return new Member(id, voters, config, new TestDisk(log, { term, vote: undefined }));
}

/** b, which has heard its leader a. */
export function follower(beginning: Beginning = {}): Member {
  const b = member('b', { term: Math.max(1, ...(beginning.log ?? [])), ...beginning });
  b.core.step(message('a', 'b', { kind: 'heartbeat', term: b.status.term, commit: 0, round: 0 }));
  b.settle();
  return b;
}

/** Time passes until it asks for pre-votes, which are lost. */
export function preCandidate(beginning: Beginning = {}): Member {
  const a = member('a', beginning);
  while (a.status.role !== 'preCandidate') a.tick();
  a.settle();
  return a;
}

/** All others would vote for it; its vote requests are lost. Its own vote is in flight. */
export function candidate(beginning: Beginning = {}): Member {
  const a = preCandidate(beginning);
  const term = a.status.term + 1;
  for (const from of others(a)) a.core.step(message(from, 'a', { kind: 'preVoteResponse', term, granted: true }));
  a.turn();
  return a;
}

/** a, elected by all, its empty entry durable; the first appends to the others are lost. */
export function leader(beginning: Beginning = {}): Member {
  const a = candidate(beginning);
  a.settle();
  const { term } = a.status;
  for (const from of others(a)) a.core.step(message(from, 'a', { kind: 'voteResponse', term, granted: true }));
  a.settle();
  return a;
}

/** a leader whose followers have everything up to its empty entry, which is committed and applied. */
export function settledLeader(beginning: Beginning = {}): Member {
  const a = leader(beginning);
  for (const from of others(a)) accept(a, from, a.status.lastIndex);
  a.settle();
  return a;
}

const others = (of: Member): readonly NodeId[] => of.founders.filter((id) => id !== of.id);

/** A follower acknowledges to `leading`. */
export function accept(leading: Member, from: NodeId, index: number, term = leading.status.term): void {
  const answer = {
    kind: 'appendResponse',
    term,
    accepted: true,
    index,
    hintIndex: 0,
    hintTerm: 0,
    applied: 0,
  } as const;
  leading.core.step(message(from, leading.id, answer));
}

export function reject(leading: Member, from: NodeId, index: number, hintIndex: number, hintTerm: number): void {
  const { term } = leading.status;
  const answer = { kind: 'appendResponse', term, accepted: false, index, hintIndex, hintTerm, applied: 0 } as const;
  leading.core.step(message(from, leading.id, answer));
}

export function answerHeartbeat(leading: Member, from: NodeId, round = 0): void {
  const { term } = leading.status;
  leading.core.step(message(from, leading.id, { kind: 'heartbeatResponse', term, applied: 0, round }));
}

/** An append of the entries of these terms, from a, which leads `term`. */
export function append(
  to: Member,
  term: number,
  previous: readonly [index: number, term: number],
  terms: readonly number[],
  commit = 0,
): void {
  const [previousIndex, previousTerm] = previous;
  const entries = entriesOf(terms, previousIndex + 1);
  to.core.step(message('a', to.id, { kind: 'appendRequest', term, previousIndex, previousTerm, commit, entries }));
}

export const termsOf = (of: Member): number[] => of.disk.log.map((entry) => entry.term);
