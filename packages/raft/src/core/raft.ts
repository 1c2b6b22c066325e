// Everything that a core knows, in one record; the steps of the protocol are functions over it.
import { assert } from './assert.ts';
import type { Tally } from './election/tally.ts';
import { type LoggedConfiguration, type Roster, rosterOf } from './membership/roster.ts';
import type { Message, NodeId } from './message.ts';
import type { HardState, Restore } from './ready.ts';
import { LogView } from './replication/log-view.ts';
import { OwnReads } from './replication/own-reads.ts';
import type { Progress } from './replication/progress.ts';
import type { Uncommitted } from './replication/uncommitted.ts';
import type { CoreConfig, CoreState, Role } from './types.ts';

/** Leadership is being handed over. Until it is abandoned at `dueAt` nothing is proposed and no read is answered. */
interface Transfer {
  readonly to: NodeId;
  readonly dueAt: number;
  /** `timeoutNow` is on its way. */
  asked: boolean;
}

/** Somebody waits for an index to read at. `round` 0: for the next round; then the index is not known either. */
export interface Read {
  readonly context: number;
  readonly round: number;
  readonly index: number;
}

/** What only makes sense in one role is kept with the role, and gone with it. */
interface Roles {
  follower: { leader: NodeId | undefined };
  preCandidate: { readonly tally: Tally };
  candidate: { readonly tally: Tally };
  leader: {
    /** Every other member. */
    readonly followers: Map<NodeId, Progress>;
    /** Index of the empty entry that began this term. */
    readonly termStartIndex: number;
    readonly uncommitted: Uncommitted;
    heartbeatDueAt: number;
    transfer: Transfer | undefined;
    /** The last round of heartbeats that confirms reads. */
    round: number;
    /** By who asks. A node asks for one batch at a time. */
    readonly reads: Map<NodeId, Read>;
  };
}
export type Own<R extends Role = Role> = { [P in R]: { readonly role: P } & Roles[P] }[R];

export interface Raft {
  readonly config: CoreConfig;
  /** As in CoreState; never empty. */
  configurations: readonly LoggedConfiguration[];
  /** The last of them: what counts. */
  roster: Roster;
  readonly log: LogView;

  term: number;
  vote: NodeId | undefined;
  own: Own;
  commit: number;

  /** Ticks since the start. */
  now: number;
  /** When this node loses patience with its leader, or with its election. */
  electionDueAt: number;
  /** When the term or the vote changed last: since then they are on their way to the disk. */
  promisedAt: number;
  /** When the leader was last heard. */
  leaderHeardAt: number;
  /** Voters whose process is known to be gone; a message from one takes it off the list. */
  readonly down: Set<NodeId>;
  /** How many more pre-votes may start early on that evidence. */
  fastAttempts: number;
  stopping: boolean;

  /** May leave at once. */
  outbox: Message[];
  /** Wait for the disk, by receiver and kind. */
  readonly held: Map<string, Message>;
  durable: HardState;
  /** The write under way: the hard state in it, if any, and whether it has entries. */
  writing:
    | {
        readonly hardState: HardState | undefined;
        readonly hasEntries: boolean;
        readonly restore: Restore | undefined;
      }
    | undefined;

  applied: number;
  appliedAt: number;
  /** A state that waits for its write, or for the end of it. Nothing is given out to be applied meanwhile. */
  restore: Restore | undefined;
  /** The reads of this node's owner. */
  readonly reads: OwnReads;

  /** Given out to be applied, up to here; the pieces that are not reported back yet. */
  handedOut: number;
  outstanding: { readonly lastIndex: number; readonly bytes: number }[];
}

export function createRaft(config: CoreConfig, state: CoreState): Raft {
  checkConfig(config);
  const log = new LogView(state.log);
  assert(state.applied >= log.firstIndex - 1, 'nothing is compacted that is not applied');
  assert(state.applied <= log.lastIndex, 'nothing is applied that the log does not hold');
  assert(state.hardState.term >= log.lastTerm, 'the log holds no entry of a later term than the hard state');
  const isMember = (state.configurations[0]?.index ?? Number.POSITIVE_INFINITY) <= state.applied;
  const configurations = isMember ? state.configurations : [nobody, ...state.configurations];
  const latest = configurations.at(-1) ?? nobody;
  assert(latest.index <= log.lastIndex, 'who the members are was said in the log');
  return {
    config,
    configurations,
    roster: rosterOf(latest, config.id),
    log,
    term: state.hardState.term,
    vote: state.hardState.vote,
    own: { role: 'follower', leader: undefined },
    commit: state.applied,
    now: 0,
    electionDueAt: 0,
    promisedAt: 0,
    leaderHeardAt: 0,
    down: new Set(),
    fastAttempts: 0,
    stopping: false,
    restore: undefined,
    reads: new OwnReads(),
    outbox: [],
    held: new Map(),
    durable: state.hardState,
    writing: undefined,
    applied: state.applied,
    appliedAt: 0,
    handedOut: state.applied,
    outstanding: [],
  };
}

/** What a node that joins knows of the members. */
const nobody: LoggedConfiguration = { index: 0, configuration: { voters: [], learners: [] } };

function checkConfig(config: CoreConfig): void {
  assert(config.heartbeatTicks >= 1, 'heartbeatTicks is at least 1');
  assert(config.electionMinTicks > config.heartbeatTicks, 'an election timeout is longer than a heartbeat');
  assert(config.electionMaxTicks >= config.electionMinTicks, 'electionMaxTicks is not below electionMinTicks');
  assert(config.maxInflightAppends >= 1 && config.maxInflightBytes >= 1, 'the in-flight window holds something');
}

/** Is what this node says about its term and its vote true after a crash, too? */
export function isHardStateDurable(raft: Raft): boolean {
  return raft.term === raft.durable.term && raft.vote === raft.durable.vote;
}

export function leaderOf(raft: Raft): NodeId | undefined {
  if (raft.own.role === 'leader') return raft.config.id;
  return raft.own.role === 'follower' ? raft.own.leader : undefined;
}
