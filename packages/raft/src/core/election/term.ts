// Terms come before roles: what a message of another term means does not depend on who gets it (thesis 3.3).
import { becomeFollower } from '../become.ts';
import type { Message, MessageKind, MessageOf } from '../message.ts';
import { send } from '../outbox.ts';
import type { Raft } from '../raft.ts';
import { hearsLeader } from './timer.ts';

type TermRules = { readonly [K in MessageKind]: (raft: Raft, message: MessageOf<K>) => boolean };

/** Does the message still matter to the role, once its term is settled? */
export function settleTerm<K extends MessageKind>(raft: Raft, message: MessageOf<K>): boolean {
  if (message.term > raft.term) return ofLaterTerm[message.kind](raft, message);
  if (message.term < raft.term) return ofEarlierTerm[message.kind](raft, message);
  return true;
}

const followLater = (raft: Raft, message: Message): boolean => {
  becomeFollower(raft, message.term, undefined);
  return true;
};

const tellTerm = (raft: Raft, message: Message): boolean => {
  send(raft, message.from, { kind: 'heartbeatResponse', term: raft.term, applied: raft.applied, round: 0 });
  return false;
};

const ofLaterTerm: TermRules = {
  preVoteRequest: () => true, // names a term that nobody has entered yet
  voteRequest: (raft, message) => {
    // A node that was cut off or removed may stand again and again: while a leader is heard it is not listened to, or
    // it would depose the leader each time (thesis 4.2.3).
    if (!message.transfer && hearsLeader(raft, message.from)) return false;
    return followLater(raft, message);
  },
  preVoteResponse: (raft, message) => message.granted || followLater(raft, message),
  voteResponse: followLater,
  appendRequest: followLater,
  heartbeat: followLater,
  appendResponse: followLater,
  heartbeatResponse: followLater,
  timeoutNow: followLater,
  readRequest: followLater,
  readResponse: followLater,
};

const ofEarlierTerm: TermRules = {
  // Refused by the role, with the own term: a node with the longer log and the lower term learns the term from it.
  // Without an answer neither it nor the one with the higher term and the shorter log is ever elected.
  preVoteRequest: () => true,
  voteRequest: () => true,
  preVoteResponse: (_raft, message) => !message.granted,
  voteResponse: () => false,
  // A leader of an earlier term holds back this node, which does not listen to it and is not listened to by those that
  // hear it. The answer carries the own term and makes that leader step down; then all of them elect one. It says
  // nothing of positions: it may reach that node when it already leads the next term.
  appendRequest: tellTerm,
  heartbeat: tellTerm,
  // Late answers to what this node asked in an earlier term: never evidence for this one.
  appendResponse: () => false,
  heartbeatResponse: () => false,
  timeoutNow: () => false,
  readRequest: () => false, // who asks will hear of the term soon enough
  readResponse: () => false,
};
