// What is let in. Messages come from other processes, perhaps of another build: nonsense is dropped here, so that the
// assertions behind it speak of this node's own state alone.
import { maxTerm } from './bounds.ts';
import { decodeConfiguration } from './membership/configuration.ts';
import type { Entry, MessageKind, MessageOf } from './message.ts';
import type { Raft } from './raft.ts';

export function admits<K extends MessageKind>(raft: Raft, message: MessageOf<K>): boolean {
  const { roster, config } = raft;
  if (message.to !== config.id || message.from === config.id || !Object.hasOwn(rules, message.kind)) return false;
  if (needsMember[message.kind] && !roster.others.includes(message.from)) return false;
  return isTerm(message.term) && rules[message.kind](message);
}

/**
 * A node may lag behind with the configuration: it must hear a leader, and vote for a candidate, that it does not know yet,
 * or a cluster whose members have changed could not go on (thesis 4.1, 4.2.2). That a removed one does no harm with
 * it is the work of the (pre-)vote: while a leader is heard, nobody listens to it. Only answers count for something
 * by who gives them.
 */
const needsMember: { readonly [K in MessageKind]: boolean } = {
  preVoteRequest: false,
  voteRequest: false,
  preVoteResponse: true,
  voteResponse: true,
  appendRequest: false,
  appendResponse: true,
  heartbeat: false,
  heartbeatResponse: true,
  timeoutNow: false,
  readRequest: true,
  readResponse: false,
};

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isTerm = (value: number): boolean => isCount(value) && value <= maxTerm;
/** Index and term of the same entry: both 0 before the first, neither 0 after it. */
const isPosition = (index: number, term: number): boolean =>
  isCount(index) && isTerm(term) && (index === 0) === (term === 0);

const isRequest = (message: MessageOf<'preVoteRequest' | 'voteRequest'>): boolean =>
  message.term >= 1 &&
  isPosition(message.lastIndex, message.lastTerm) &&
  message.lastTerm <= message.term &&
  typeof message.transfer === 'boolean';
const isAnswer = (message: MessageOf<'preVoteResponse' | 'voteResponse'>): boolean =>
  typeof message.granted === 'boolean';

const rules: { readonly [K in MessageKind]: (message: MessageOf<K>) => boolean } = {
  preVoteRequest: isRequest,
  voteRequest: isRequest,
  preVoteResponse: isAnswer,
  voteResponse: isAnswer,
  appendRequest: (message) =>
    message.term >= 1 &&
    isPosition(message.previousIndex, message.previousTerm) &&
    isCount(message.commit) &&
    Array.isArray(message.entries) &&
    areEntries(message.entries, message.previousIndex, message.previousTerm, message.term),
  appendResponse: (message) =>
    typeof message.accepted === 'boolean' &&
    isCount(message.index) &&
    isPosition(message.hintIndex, message.hintTerm) &&
    isCount(message.applied),
  heartbeat: (message) => message.term >= 1 && isCount(message.commit) && isCount(message.round),
  heartbeatResponse: (message) => isCount(message.applied) && isCount(message.round),
  timeoutNow: (message) => message.term >= 1,
  readRequest: (message) => isCount(message.context),
  readResponse: (message) => isCount(message.context) && typeof message.granted === 'boolean' && isCount(message.index),
};

/** Contiguous indexes, terms that never fall, none later than the leader's. */
function areEntries(entries: readonly Entry[], previousIndex: number, previousTerm: number, term: number): boolean {
  let index = previousIndex;
  let lowest = Math.max(1, previousTerm);
  for (const entry of entries) {
    index += 1;
    if (entry.index !== index || !isTerm(entry.term) || entry.term < lowest || entry.term > term) return false;
    if (entry.kind === 'configuration' && decodeConfiguration(entry.payload) === undefined) return false;
    lowest = entry.term;
  }
  return lowest <= Math.max(1, term) && isCount(index);
}
