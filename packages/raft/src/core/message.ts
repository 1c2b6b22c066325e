// Every message of the protocol: who sends it, when, and what must be on its sender's disk before it leaves.
// Times are ticks, indexes and terms are safe integers from 1 (0 means "before the first").

/** The name of a member, unique in its cluster: 1 to 64 characters of [A-Za-z0-9._-], a letter or a digit in front. */
export type NodeId = string;

/**
 * What an entry holds. `empty` is the core's own, at the start of a term, or where a leader's disk hangs; `commands` is one
 * group commit; `configuration` says who the members are, from this entry on.
 */
export type EntryKind = 'empty' | 'commands' | 'configuration';

/**
 * One log entry. Immutable once it has an index and a term (log matching: the two name the content).
 * `bytes` is the encoded form, with a checksum (log/entry.ts): made once, by the leader, then the same bytes go to
 * every disk and every follower.
 */
export interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: EntryKind;
  readonly payload: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Asks for a (pre-)vote. Thesis 3.4, 9.6. `voteRequest` leaves after the own term and vote are durable. */
export interface VoteRequest {
  readonly kind: 'preVoteRequest' | 'voteRequest';
  /** The term that the sender would campaign in (pre-vote) or campaigns in (vote). */
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader itself has asked for this election (`timeoutNow`): that it is heard is no reason to refuse. */
  readonly transfer: boolean;
}

/** Answers a (pre-)vote. A granted vote leaves after the grant is durable. */
export interface VoteResponse {
  readonly kind: 'preVoteResponse' | 'voteResponse';
  /** Granted: the term asked for. Refused: the sender's own term, so that a stale candidate learns it. */
  readonly term: number;
  readonly granted: boolean;
}

/** Leader to follower. May leave before the leader's own disk has the entries (thesis 10.2.1). */
export interface AppendRequest {
  readonly kind: 'appendRequest';
  readonly term: number;
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly commit: number;
  readonly entries: readonly Entry[];
}

/** Follower to leader, once everything that it claims is on the follower's disk. */
export interface AppendResponse {
  readonly kind: 'appendResponse';
  readonly term: number;
  readonly accepted: boolean;
  /** Accepted: the last index that is proven to match and durable. Rejected: the `previousIndex` that was refused. */
  readonly index: number;
  /** Rejected: where to look next; the largest index of the follower that could match, and its term. */
  readonly hintIndex: number;
  readonly hintTerm: number;
  /** The follower's applied index, for back-pressure (apply lag). */
  readonly applied: number;
}

/** Leader to follower, every heartbeat interval. `commit` never exceeds what the follower is known to match. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly term: number;
  readonly commit: number;
  /** The last round of reads that this leader began in its term (thesis 6.4); 0 before the first. */
  readonly round: number;
}

/** Follower to leader, for each heartbeat of its term: it is alive, and has applied so much. */
export interface HeartbeatResponse {
  readonly kind: 'heartbeatResponse';
  readonly term: number;
  readonly applied: number;
  /** The round of the heartbeat that this answers; 0 confirms no read. */
  readonly round: number;
}

/** Leader to a voter that has everything: stand for election now (thesis 3.10). */
export interface TimeoutNow {
  readonly kind: 'timeoutNow';
  readonly term: number;
}

/** Follower to leader: up to where must I have applied to answer reads (thesis 6.4)? Asked again until it is answered. */
export interface ReadRequest {
  readonly kind: 'readRequest';
  readonly term: number;
  /** Names the reads that the sender waits for. No two lives of a node use the same one. */
  readonly context: number;
}

/** Leader to follower: the answer to a `readRequest`, once a round of heartbeats has shown that it leads (thesis 6.4). */
export interface ReadResponse {
  readonly kind: 'readResponse';
  readonly term: number;
  readonly context: number;
  /** Refused: the sender leads no more, or is about to hand over. */
  readonly granted: boolean;
  /** Granted: the commit index when the leader was confirmed to lead. */
  readonly index: number;
}

interface Bodies {
  preVoteRequest: VoteRequest;
  voteRequest: VoteRequest;
  preVoteResponse: VoteResponse;
  voteResponse: VoteResponse;
  appendRequest: AppendRequest;
  appendResponse: AppendResponse;
  heartbeat: Heartbeat;
  heartbeatResponse: HeartbeatResponse;
  timeoutNow: TimeoutNow;
  readRequest: ReadRequest;
  readResponse: ReadResponse;
}

/** What a message is about; `MessageBody<'appendRequest'>` is what one of that kind says. */
export type MessageKind = keyof Bodies;

/** What a message says; `MessageOf` adds who sends it to whom. Of several kinds, their union. */
export type MessageBody<K extends MessageKind = MessageKind> = { [P in K]: Bodies[P] & { readonly kind: P } }[K];

/** A message with its sender and its receiver. Of several kinds, their union. */
export type MessageOf<K extends MessageKind = MessageKind> = {
  [P in K]: Bodies[P] & { readonly kind: P; readonly from: NodeId; readonly to: NodeId };
}[K];

/** Any message of the protocol. It may be lost, repeated or late: the core says again what matters. */
export type Message = MessageOf;
