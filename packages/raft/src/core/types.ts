// The face of the core: what its owner hands in, and what it gets back. core.ts is the way in.
import type { ConfigMember, Configuration } from './membership/configuration.ts';
import type { LoggedConfiguration } from './membership/roster.ts';
import type { Entry, EntryKind, Message, NodeId } from './message.ts';
import type { HardState, Ready, Receipt, Restore } from './ready.ts';

/** Thesis 3.3; `preCandidate` asks whether it would be elected, and has not raised its term (thesis 9.6). */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** Read access to the durable log, synchronous (the driver keeps terms in memory and entries in a bounded cache). */
export interface LogReader {
  /** Rises when the log is compacted: what is before it is applied here, and is read no more. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Term of the entry at `index`; 0 for index 0; known for `firstIndex` - 1; undefined for others that the log does not hold. */
  term(index: number): number | undefined;
  /** Entries from `from` on, at least one, at most `maxBytes` beyond it. */
  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[];
}

/** Times in ticks of the owner's clock. */
export interface CoreConfig {
  readonly id: NodeId;
  readonly heartbeatTicks: number;
  /** The election timeout is drawn from these two, both included (thesis 3.4). */
  readonly electionMinTicks: number;
  readonly electionMaxTicks: number;
  /** After news of the leader's death: pre-vote after a random 0 to this many ticks. */
  readonly fastElectionTicks: number;
  /** Of entries in one message; a single entry may be larger. */
  readonly maxAppendBytes: number;
  /** For each follower: messages, and bytes of entries, that it has not answered (thesis 10.2.1). */
  readonly maxInflightAppends: number;
  readonly maxInflightBytes: number;
  /** Of a leader; a proposal beyond it is refused. */
  readonly maxUncommittedBytes: number;
  /** Of committed entries that are handed out at once. */
  readonly maxApplyBytes: number;
  /** Uniform in [0, 1), seeded by the owner. */
  readonly random: () => number;
  /** Encodes an entry that this core creates; pure. `encodeEntry` does it. */
  readonly encode: (index: number, term: number, kind: EntryKind, payload: Uint8Array) => Entry;
}

/** What a core starts from: all of it as it is on the disk, and as it was when the member stopped. */
export interface CoreState {
  readonly hardState: HardState;
  readonly log: LogReader;
  /** The state machine's applied index: commit starts here after a restart. */
  readonly applied: number;
  /**
   * The newest configuration at or below `applied` (index 0: as founded), then those behind it in the log; older ones may
   * stand before. Empty for a node that joins: it has no vote, and learns from its leader who the members are.
   */
  readonly configurations: readonly LoggedConfiguration[];
}

/** The variables of thesis figure 3.1, and what an operator wants to see beside them. An index is that of an entry; 0 is before the first. */
export interface CoreStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: number;
  /** Of this term, as far as this member has heard. */
  readonly leader: NodeId | undefined;
  /** The last entry that this member knows to be committed. */
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  /** The last entry that is on this disk, synced; at most `lastIndex`. */
  readonly durableIndex: number;
  /** Index of this leader's own empty entry; undefined for the other roles. */
  readonly termStartIndex: number | undefined;
  /** Of a leader's entries behind `commit`; bounded by `maxUncommittedBytes`. */
  readonly uncommittedBytes: number;
  /** Whom this leader hands over to. */
  readonly transferringTo: NodeId | undefined;
  /** Calls of `readIndex` that have no answer yet. */
  readonly waitingReads: number;
  /** In force here, committed or not, and the entry that said it; index 0: as founded. */
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  /** The newest that is known to be committed; undefined while a state is put in place. */
  readonly committedConfiguration: LoggedConfiguration | undefined;
  /** False for a learner, one that waits to be taken in, and one that is removed. */
  readonly isVoter: boolean;
  /** Of a leader: every other member. */
  readonly followers: ReadonlyMap<NodeId, FollowerStatus>;
}

/** Another member as its leader sees it. Indexes are those of entries; 0 is before the first. */
export interface FollowerStatus {
  /** False for a learner. */
  readonly voter: boolean;
  /** One message at a time until it is known where logs agree; a state is being sent; messages one after the other. */
  readonly state: 'probe' | 'snapshot' | 'replicate';
  /** Up to this index its log is known to be the leader's, and durable (matchIndex of thesis figure 3.1). */
  readonly match: number;
  /** Up to this index it has applied, as it said last. */
  readonly applied: number;
  /** Messages with entries that it has not answered. */
  readonly inflight: number;
  /** It was heard within an election timeout (thesis 6.2). */
  readonly recentlyActive: boolean;
}

/** One server at a time (thesis 4.1): any two majorities, before and after, have a member in common. */
export type MembershipChange =
  /** Receives entries and has no vote (thesis 4.2.1). */
  | { readonly kind: 'addLearner'; readonly member: ConfigMember }
  /** A learner that has caught up gets a vote. */
  | { readonly kind: 'promote'; readonly id: NodeId }
  /** A voter or a learner goes. A leader may remove itself: it leads until that is committed (thesis 4.2.2). */
  | { readonly kind: 'remove'; readonly id: NodeId };

/** Nothing was appended. */
export type ChangeRefusal =
  | 'notLeader'
  | 'stopping'
  /** Leadership is being handed over, or this leader is being removed. */
  | 'transferring'
  /** No entry of the own term is committed yet. */
  | 'termNotCommitted'
  /** The last change is not committed yet. */
  | 'changePending'
  | 'unknownMember'
  | 'alreadyMember'
  /** A name or a text that no configuration can hold. */
  | 'malformedMember'
  | 'tooManyMembers'
  /** To be promoted, a learner may lack `maxInflightAppends` entries at most (thesis 4.2.1). */
  | 'notCaughtUp'
  | 'lastVoter'
  /** Of the voters that would remain, no majority is there to commit it. */
  | 'tooFewActive'
  /** `maxUncommittedBytes` is reached. */
  | 'tooManyUncommitted';

/** What became of a change of the members: it is in the leader's log and in force there (thesis 4.1), or nothing happened. */
export type Changed =
  | { readonly kind: 'appended'; readonly index: number; readonly term: number }
  | { readonly kind: 'refused'; readonly reason: ChangeRefusal };

/** What became of a proposal: it is in the leader's log (thesis 3.5), where it may still be lost, or nothing happened. */
export type Proposed =
  | { readonly kind: 'appended'; readonly index: number; readonly term: number }
  | { readonly kind: 'refused'; readonly reason: 'notLeader' | 'tooManyUncommitted' | 'stopping' | 'transferring' };

/**
 * A hand-over has begun, to whom (thesis 3.10), or why it has not: this member does not lead, or stops; one is under way
 * already; or `noTarget`: no other voter, or not the one that was named, was heard within an election timeout.
 */
export type Transferred =
  | { readonly kind: 'started'; readonly to: NodeId }
  | { readonly kind: 'refused'; readonly reason: 'notLeader' | 'noTarget' | 'transferring' | 'stopping' };

/**
 * One member's Raft (thesis 3, 4, 6.4): inputs in, a `Ready` out; synchronous, and the same for the same inputs. It reads
 * no clock and touches nothing but the log reader and `random` that it was given.
 *
 * Every method but `status` may throw InvariantViolated: its own state, its driver or another member broke a rule of the
 * protocol. The core is not to be used any more then, and the process must neither send nor write.
 */
export interface Core {
  /** A message has arrived. What is late, repeated, malformed or from nobody who counts is ignored. */
  step(message: Message): void;
  /** Bytes of a message of this peer are arriving: a sign of life, before its last byte. */
  heard(peer: NodeId): void;
  /** One unit of time has passed. */
  tick(): void;
  /** Appends to the leader's log (thesis 3.5). That it is committed is seen in `Ready.committed`, under this index and term. */
  propose(payload: Uint8Array): Proposed;
  /**
   * In force at once (thesis 4.1), for good when the entry is committed. The same change again is refused as done or unknown.
   */
  changeMembership(change: MembershipChange): Changed;
  /**
   * Asks for an index to read at (thesis 6.4); a follower asks its leader. Answered once in `Ready.readStates`, at the latest
   * after two election timeouts; at once, as failed, where no leader is known or 16,384 others wait.
   * @param context never used before
   */
  readIndex(context: number): void;
  /**
   * Hands leadership over to this voter, or to the one that has most (thesis 3.10). Takes no proposal until the other leads, or an
   * election timeout is over.
   */
  transferLeadership(to: NodeId | undefined): Transferred;
  /**
   * A leader ends its own leadership, since its owner can do nothing with it: at once, whoever takes over. The voter that
   * has most is told to stand (thesis 3.10). Nothing for the other roles.
   */
  stepDown(): void;
  /** The follower has the state of this index: the leader goes on from there. */
  snapshotInstalled(peer: NodeId, index: number): void;
  /**
   * A whole state lies on this disk. `accepted`: some write to come holds it as `restore`. `unneeded`: this log has what
   * is in it, or another is under way; the owner drops it.
   */
  restore(restore: Restore): 'accepted' | 'unneeded';
  /** Evidence that a process is gone (reset, then refused) or was replaced (a new boot id). */
  peerDown(peer: NodeId): void;
  /** Everything in flight to this peer may be lost (a connection broke): probe again. */
  peerReset(peer: NodeId): void;
  /** The own write takes longer than the watchdog allows. */
  diskStalled(): void;
  /** This process stood still for so long. */
  paused(ticks: number): void;
  /** SIGTERM: propose nothing more, campaign no more. */
  stop(): void;
  /** What is to be done now; each thing once. `canWrite`: no write is in flight. */
  ready(options: { readonly canWrite: boolean }): Ready;
  /** Something of an earlier Ready is done: it is on the disk, or applied. */
  advance(receipt: Receipt): void;
  status(): CoreStatus;
}
