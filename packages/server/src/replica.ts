// Walk 9/15: the join of raft and store. Committed entries leave the one and enter the other, and the verdict goes back to
// the request that proposed: acknowledged. On to store/apply/schedule.ts.
//
// The only file of a node that knows both (backup/stopped.ts does where none runs). They meet on one LevelDB: raft's log store is its only writer and writes the store's
// effects in its own turns, the store only reads. Besides verdicts, two things cross here: the stamp, which the cluster
// clock puts into the header of each entry, and the other members' wall clocks, which come with their messages.
import assert from 'node:assert';
import {
  brings,
  type ChangeOutcome,
  createRaftNode,
  type Feature,
  type LogStore,
  type MembershipChange,
  type NodeId,
  type Outcome,
  openLevelLog,
  RaftError,
  type RaftNode,
  type RaftStatus,
  readGeneration,
  type TransferOutcome,
} from '@holdfast/raft';
import { createClusterClock, type Skew } from '@holdfast/scheduler';
import {
  type Command,
  type CommandKind,
  type CommandOf,
  defaultLimits,
  encodeCommand,
  encodeStamp,
  openStore,
  StateTooNew,
  type Store,
  type Verdict,
  type VerdictOf,
} from '@holdfast/store';
import type { MemberConfig, MemberPorts, Peer } from './member.ts';
import { addressTextOf, peerOf, reachOf } from './peers/member-address.ts';

export type NotApplied = Extract<Outcome<unknown>, { kind: 'notApplied' }>['reason'];

export type Settled<K extends CommandKind> =
  | { readonly kind: 'applied'; readonly verdict: VerdictOf<K> }
  /** It was not applied and never will be. */
  | { readonly kind: 'notApplied'; readonly reason: NotApplied }
  /** It was appended, and then leadership or this node was lost: it may still be applied. */
  | { readonly kind: 'unknown' };

export interface Replica {
  readonly store: Store;
  /** Once formation is done. */
  readonly clusterId: string | undefined;
  /** Whether all members understand it, as far as is applied here. */
  mayUse(feature: Feature): boolean;
  /** Always settles, and never rejects. */
  propose<K extends CommandKind>(command: CommandOf<K> & Command): Promise<Settled<K>>;
  /** Resolves true when the store has everything that was acknowledged anywhere before the call; false: ask again. */
  readIndex(): Promise<boolean>;
  /** Who takes part, this node among them once it does: as of the last look. */
  peers(): readonly Peer[];
  /** Called every few ms: who votes and who takes part is looked up. */
  look(): void;
  /** Always settles, and never rejects. */
  changeMembership(change: MembershipChange): Promise<ChangeOutcome>;
  /** @returns to whom, or why not */
  transferLeadership(to: NodeId | undefined): TransferOutcome;
  /** Ends this node's leadership, if it leads. */
  stepDown(): void;
  /** The stamp that an entry would get now, in ms since the epoch. */
  stampMs(): number;
  /** Each voter's clock minus the median of all, where known, in ms. */
  skewMs(): ReadonlyMap<NodeId, number>;
  /** The voters whose clocks are further from the median of three or more than they may be. */
  skewed(): readonly Skew[];
  /** How far the voters' median is behind the replicated clock: above 0, all of them were set back. */
  clockBehindMs(): number;
  status(): RaftStatus;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ReplicaEvents {
  /** This node leads, and its state is current. */
  onLeader(term: number): void;
  /** Once for each `onLeader`. */
  onLeaderLost(term: number): void;
  /** The node must stop; nothing is proposed or answered after it. */
  onFatal(error: Error): void;
  /** Is there room on the disk for another state beside the own one? */
  hasRoom(): boolean;
}

/** Log and state as they lie on the disk, opened and checked. */
export interface Opened {
  readonly store: Store;
  readonly log: LogStore;
}

/** The leader's housekeeping asks by it, and every member's store decides by it. */
export const endedKeepMsOf = ({ endedKeepMs = defaultLimits.endedKeepMs }: MemberConfig): number => endedKeepMs;

/** @throws RaftError, CorruptRow when the directory is damaged or another member's: nothing was changed */
export async function openReplica(config: MemberConfig, ports: MemberPorts): Promise<Opened> {
  const { database, random } = ports;
  const { id, writeBufferBytes } = config;
  const members = foundersIn(config);
  // Log and state move to another generation together, and the log says to which.
  const generation = await readGeneration(database);
  const limits = { endedKeepMs: endedKeepMsOf(config) };
  const opening = openStore({ database, generation, limits });
  const store = await opening.catch((error: unknown) => Promise.reject(codedTooNew(error)));
  const applied = store.applied.index;
  const log = await openLevelLog({ database, applied, id, members, random, writeBufferBytes });
  return { store, log };
}

/** @throws RaftError HF_WRONG_MEMBER, HF_WRONG_CLUSTER */
export function joinReplica(opened: Opened, config: MemberConfig, ports: MemberPorts, events: ReplicaEvents): Replica {
  const { store, log } = opened;
  const { transport, clock, random } = ports;
  const { id, timing } = config;
  let seen = rollOf(noMembers);
  const voters = (): readonly NodeId[] => seen.voters;
  const learners = (): readonly NodeId[] => seen.learners;
  const clusterClock = createClusterClock({ self: id, voters, learners, clock, maxClockSkewMs: config.maxClockSkewMs });
  const stampMs = (): number => clusterClock.stampMs(store.clockMs);
  const raft = createRaftNode<Verdict>({
    id,
    members: foundersIn(config),
    addresses: new Map(config.peers.map((peer) => [peer.id, addressTextOf(peer)])),
    reach: reachOf,
    timing,
    log,
    stateMachine: store,
    transport,
    clock,
    random,
    retention: config.retention ?? {},
    mayReceiveState: () => events.hasRoom(),
    owner: {
      entryHeader: () => encodeStamp(stampMs()),
      onLeader: (term) => events.onLeader(term),
      onLeaderLost: (term) => events.onLeaderLost(term),
      onSample: (from, sample) => clusterClock.observe(from, sample.wallMs),
      onFatal: (error) => events.onFatal(codedTooNew(error)),
    },
  });
  const look = (): void => {
    const { configuration, members } = raft.status();
    if (seen.configuration !== configuration || seen.members !== members) seen = rollOf({ configuration, members });
  };
  look();
  return {
    store,
    look,
    peers: () => seen.peers,
    changeMembership: (change) => raft.changeMembership(change),
    get clusterId() {
      const { founding } = log.identity;
      return founding?.confirmed === true ? founding.record.clusterId : undefined;
    },
    mayUse: (feature) => brings(store.activeVersion, feature),
    propose: (command) => propose(raft, command),
    readIndex: async () => (await raft.readIndex()).kind === 'ready',
    transferLeadership: (to) => raft.transferLeadership(to),
    stepDown: () => raft.stepDown(),
    stampMs,
    skewMs: () => clusterClock.skewsMs(),
    skewed: () => clusterClock.skewed(),
    clockBehindMs: () => clusterClock.behindMs(store.clockMs),
    status: () => raft.status(),
    start: () => raft.start(),
    stop: () => raft.stop(),
  };
}

/** What raft can not know: this build is too old for the state, or for what is to be applied next. */
function codedTooNew(error: unknown): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof StateTooNew)) continue;
    const { message, version } = cause;
    return new RaftError('HF_BUILD_TOO_OLD', `Here ${message}.`, { version }, { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** A node that joins founds nothing. */
const foundersIn = ({ join, peers }: MemberConfig): readonly NodeId[] =>
  join === true ? [] : peers.map((peer) => peer.id);

/** Who belongs to the cluster, as it is looked up by everything that this node does. */
interface Roll extends Pick<RaftStatus, 'configuration' | 'members'> {
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Those of whom it is known where they are. */
  readonly peers: readonly Peer[];
}

const noMembers = { configuration: { voters: [], learners: [] }, members: new Map() };

function rollOf({ configuration, members }: Pick<RaftStatus, 'configuration' | 'members'>): Roll {
  return {
    configuration,
    members,
    voters: configuration.voters.map((voter) => voter.id),
    learners: configuration.learners.map((learner) => learner.id),
    peers: [...members.values()].flatMap((member) => peerOf(member.id, member.address) ?? []),
  };
}

async function propose<K extends CommandKind>(
  raft: RaftNode<Verdict>,
  command: CommandOf<K> & Command,
): Promise<Settled<K>> {
  const outcome = await raft.propose(encodeCommand(command));
  switch (outcome.kind) {
    case 'applied':
      assert(isVerdictOf<K>(command.kind, outcome.result), `${command.kind} was answered ${outcome.result.kind}`);
      return { kind: 'applied', verdict: outcome.result };
    case 'notApplied':
      return { kind: 'notApplied', reason: outcome.reason };
    case 'unknown':
      return { kind: 'unknown' };
    default:
      return outcome satisfies never;
  }
}

/** Raft carries verdicts without knowing which command they answer; a mismatch would mean that it mixed two up. */
const verdictKinds: { readonly [K in CommandKind]: { readonly [Kind in VerdictOf<K>['kind']]: true } } = {
  begin: { begun: true },
  tick: { ticked: true },
  schedule: { scheduled: true, refused: true },
  createGroup: { group: true, refused: true },
  deleteGroup: { deleting: true, refused: true },
  lease: { leased: true, refused: true },
  ack: { answers: true, refused: true },
  nack: { answers: true, refused: true },
  extend: { extended: true, refused: true },
  cancel: {
    cancelled: true,
    stopped: true,
    delivered: true,
    skipped: true,
    leased: true,
    notFound: true,
    forgotten: true,
    refused: true,
  },
  release: { answers: true, refused: true },
  giveBack: { answers: true, refused: true },
  collect: { collected: true, refused: true },
  activate: { activated: true, refused: true },
};

function isVerdictOf<K extends CommandKind>(command: CommandKind, verdict: Verdict): verdict is VerdictOf<K> & Verdict {
  return Object.hasOwn(verdictKinds[command], verdict.kind);
}
