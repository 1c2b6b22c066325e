// The face of the package: a member of a Raft group. Carries each Ready out; decides nothing.

import type { ConfigMember } from '../core/membership/configuration.ts';
import type { NodeId } from '../core/message.ts';
import type { CoreStatus, MembershipChange } from '../core/types.ts';
import { isWaiting } from '../log/identity.ts';
import type { LogStore } from '../log/log-store.ts';
import type { RaftError } from '../raft-error.ts';
import type { Retention } from '../snapshot/compaction.ts';
import type { SnapshotStatus } from '../snapshot/snapshots.ts';
import type { SnapshotStateMachine } from '../state-machine.ts';
import type { Address, Sample, Transport } from '../wire/transport.ts';
import type { Clock } from './clock.ts';
import type { Hearing } from './hearing.ts';
import type { ChangeOutcome } from './membership/changes.ts';
import type { Outcome, TransferOutcome } from './outcome.ts';
import type { ReadOutcome } from './reads.ts';

/**
 * In ms, counted in whole ticks: each rounded to the nearest, and at least one. Followers and leaders of one cluster need the
 * same. In ticks `electionMinMs` must be more than `heartbeatMs`, and `electionMaxMs` not less than that: `createRaftNode`
 * throws otherwise.
 */
export interface RaftTiming {
  /** More than 0. */
  readonly tickMs: number;
  /** A leader is heard from at least so often; far below `electionMinMs` (thesis 3.9). */
  readonly heartbeatMs: number;
  /** Who hears no leader for a random time from this to `electionMaxMs` asks for votes (thesis 3.4). */
  readonly electionMinMs: number;
  readonly electionMaxMs: number;
  /** After news of a dead leader: pre-vote after a random 0 to this. */
  readonly fastElectionMs: number;
}

/** For members on one network: a dead process is missed at once, a frozen one after 300 to 600 ms. */
export const defaultTiming: RaftTiming = {
  tickMs: 10,
  heartbeatMs: 50,
  electionMinMs: 300,
  electionMaxMs: 600,
  fastElectionMs: 50,
};

/**
 * Whom a member belongs to: stamps entries, and is told of leadership and of the end. None of these may throw. What
 * `entryHeader`, `onLeader` or `onLeaderLost` throws in a turn ends the member with HF_RAFT_FAULT; nobody catches what
 * `onSample` or `onFatal` throws, or `onLeaderLost` when the member ends, and the process may end with it.
 */
export interface RaftOwner {
  /**
   * Asked when group commit closes an entry: the opaque header that every replica's `begin` gets (the stamp). At most 65,535
   * bytes: a longer one ends the member with HF_RAFT_FAULT.
   */
  entryHeader(): Uint8Array;
  /** The first entry of the own term is applied: this node leads, and its state is current. */
  onLeader(term: number): void;
  /** It leads no more (or stops). Called once for each `onLeader`. */
  onLeaderLost(term: number): void;
  /** With every message that another member sends: its clock, for an owner that compares clocks. */
  onSample(from: NodeId, sample: Sample): void;
  /**
   * The node has stopped: nothing is sent, written, proposed or answered after it. By its disk: HF_WRITE_FAILED, HF_DISK_FULL,
   * HF_LOG_GAP, HF_LOG_CORRUPT. By its state machine: HF_APPLY_FAILED. Because others do not let it take part, or its log says
   * so: HF_WRONG_CLUSTER, HF_WIPED_MEMBER, HF_REMOVED_MEMBER, HF_LOG_CUT, HF_LOG_FORMAT, HF_BUILD_TOO_OLD. HF_RAFT_FAULT is
   * everything else, with what was thrown as its `cause`. The first call says why; what was under way may fail after it and
   * be told, too.
   */
  onFatal(error: RaftError): void;
}

/** What a member is put together from. Everything in it is its own: no two members share a log, a machine or a transport. */
export interface RaftNodeOptions<Result> {
  readonly id: NodeId;
  /** Who founds the cluster; empty for a node that is to be taken in by a running one. */
  readonly members: readonly NodeId[];
  /**
   * How members are reached, as this node was configured; it wins over what an entry says of a member, since there may
   * be proxies and containers between. The text is the owner's.
   */
  readonly addresses: ReadonlyMap<NodeId, string>;
  /** Where the transport finds whom this text describes; undefined when it does not say. */
  readonly reach: (address: string) => Address | undefined;
  readonly timing: RaftTiming;
  readonly log: LogStore;
  readonly stateMachine: SnapshotStateMachine<Result>;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Uniform in [0, 1). Tells members apart: the same numbers in two of them make them stand for election together. */
  readonly random: () => number;
  readonly owner: RaftOwner;
  /** How much of the log is kept behind the applied index; defaults where absent. */
  readonly retention?: Partial<Retention>;
  /**
   * Asked when a whole state is offered, which is written beside the own one, and at each tick while it comes in: is there room
   * for it? While there is none this member gives it up and stays behind, and stands by with its vote. Absent: there always is.
   */
  readonly mayReceiveState?: () => boolean;
}

/**
 * A member as of its last turn, read without I/O. Counts begin with the object; `versions` and `refusals` are no copies, and go
 * on changing.
 */
export interface RaftStatus extends Omit<CoreStatus, 'committedConfiguration'> {
  /** Monotonic ms when a majority (this node counted) had last been heard, as seen by a leader. */
  readonly quorumHeardAtMs: number;
  /** Proposals that wait to become an entry, and entries that wait to be applied. */
  readonly waitingProposals: number;
  readonly waitingEntries: number;
  /** Of the entries that the log holds. */
  readonly logBytes: number;
  /** Where the log begins, and how many entries were compacted since the start. */
  readonly firstIndex: number;
  readonly compactedEntries: number;
  readonly snapshots: SnapshotStatus;
  /** What this directory drew when it was made. */
  readonly incarnation: string;
  /** It belongs to no cluster, and founds none: it waits to be taken in. */
  readonly isWaiting: boolean;
  /** Who takes part as far as this node knows, with the address that it uses: those in force, and those before while that is not committed. */
  readonly members: ReadonlyMap<NodeId, ConfigMember>;
  /** The versions of the protocol that each other member speaks, as its last process said; absent: not heard yet. */
  readonly versions: ReadonlyMap<NodeId, readonly number[]>;
  /** Refusals, drops and delays by name: of the bound where it is one of `driverBounds`, and of the reason elsewhere. */
  readonly refusals: ReadonlyMap<string, number>;
}

/** A member of a group, for one life: what was stopped, or has ended by `onFatal`, is made anew from its log. */
export interface RaftNode<Result> {
  /**
   * Listens, connects, and takes part from then on. Resolves when the transport has started; what ends the node later
   * comes by `onFatal`. @throws what the transport throws; over TCP RaftError `HF_PEER_PORT`
   */
  start(): Promise<void>;
  /** At most 4 MiB (`driverBounds.maxCommandBytes`). Always settles, and never rejects: with an outcome. */
  propose(command: Uint8Array): Promise<Outcome<Result>>;
  /**
   * Resolves when this node's state machine has everything that was committed anywhere when this was called (thesis
   * 6.4), on every member and without a write. Always settles within a few election timeouts, and never rejects.
   */
  readIndex(): Promise<ReadOutcome>;
  /** Hands leadership over, to this voter or to the one that has most (thesis 3.10). Only a leader can. */
  transferLeadership(to: NodeId | undefined): TransferOutcome;
  /**
   * Ends this node's leadership at once, whoever takes over: for an owner that can do nothing with it. `onLeaderLost` follows,
   * what is appended has an open fate, and the voter that has most is asked to stand. Nothing happens on a member that does
   * not lead. Where it can be chosen, `transferLeadership` is gentler: it waits until the other has everything.
   */
  stepDown(): void;
  /**
   * Changes the members by one (thesis 4.1): a leader's work. Always settles, within about an election after leadership
   * was lost, and never rejects. The same change again is refused as done ('alreadyMember', 'unknownMember').
   */
  changeMembership(change: MembershipChange): Promise<ChangeOutcome>;
  status(): RaftStatus;
  /**
   * Stops proposing, hands leadership over, settles every proposal, closes the transport, and waits until what is pending is
   * written: about an election timeout at most, unless the disk does not answer. Every call resolves when the first does.
   */
  stop(): Promise<void>;
}

type Told = 'compactedEntries' | 'snapshots' | 'members' | 'versions' | 'refusals';

export interface StatusSources extends Pick<RaftStatus, Told> {
  readonly log: LogStore;
  readonly loop: { readonly status: CoreStatus; readonly waitingProposals: number; readonly waitingEntries: number };
  readonly nowMs: number;
  readonly hearing: Hearing;
}

/** Field by field: it is asked for at every look, and spreading so many fields took a tenth of a node's time. */
export function statusOf({ log, loop, nowMs, hearing, ...told }: StatusSources): RaftStatus {
  const { status } = loop;
  return {
    id: status.id,
    role: status.role,
    term: status.term,
    leader: status.leader,
    commit: status.commit,
    applied: status.applied,
    lastIndex: status.lastIndex,
    durableIndex: status.durableIndex,
    termStartIndex: status.termStartIndex,
    uncommittedBytes: status.uncommittedBytes,
    transferringTo: status.transferringTo,
    waitingReads: status.waitingReads,
    configuration: status.configuration,
    configurationIndex: status.configurationIndex,
    isVoter: status.isVoter,
    followers: status.followers,
    quorumHeardAtMs: hearing.majorityHeardAtMs(
      nowMs,
      status.configuration.voters.map((voter) => voter.id),
      status.id,
    ),
    waitingProposals: loop.waitingProposals,
    waitingEntries: loop.waitingEntries,
    logBytes: log.logBytes,
    firstIndex: log.firstIndex,
    incarnation: log.identity.incarnation,
    isWaiting: isWaiting(log.identity),
    compactedEntries: told.compactedEntries,
    snapshots: told.snapshots,
    members: told.members,
    versions: told.versions,
    refusals: told.refusals,
  };
}
