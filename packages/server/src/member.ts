// A member of a cluster without its sockets: raft, store and scheduler joined, behind a Service. The node gives it HTTP,
// TCP and LevelDB; the library embeds it; the simulator runs many of them in one process on a clock of its own.
import type { AnswerOf, RequestOf, Verb } from '@holdfast/api';
import type { Clock, Database, NodeId, RaftStatus, RaftTiming, Retention, Transport } from '@holdfast/raft';
import type { SchedulerStatus } from '@holdfast/scheduler';
import type { StateReader } from '@holdfast/store';

export interface Peer {
  readonly id: NodeId;
  /** host:port of its peer port; unused in a cluster of one. */
  readonly peer: string;
  /** http://host:port of its API. */
  readonly api: string;
}

export interface MemberConfig {
  readonly id: NodeId;
  /** How this node was told to reach members, itself among them; without `join` also: who founds the cluster. */
  readonly peers: readonly Peer[];
  /** It founds nothing: it waits to be taken in by a running cluster, or was taken in before. */
  readonly join?: boolean;
  readonly timing: RaftTiming;
  readonly graceMs: number;
  readonly maxClockSkewMs: number;
  /** Below it the disk is low, and new messages are refused ... */
  readonly minFreeBytes: number;
  /** ... until it has this much more. */
  readonly freeMarginBytes: number;
  /** How much of the log is kept; raft's defaults where absent. */
  readonly retention?: Partial<Retention>;
  /** With what the database was opened (LevelDB's `writeBufferSize`); raft's default where absent. Turn rows are kept for two of them. */
  readonly writeBufferBytes?: number;
  /** How long it stays known how a message ended, in ms; the store's default where absent. The same on all, or states differ. */
  readonly endedKeepMs?: number;
}

/** What is known of a member's disk. */
export interface DiskSeen {
  readonly freeBytes: number;
  readonly low: boolean;
}

export interface DiskPort {
  /** What this process may still write to the disk of its data directory. */
  freeBytes(): Promise<number>;
  /** How long the write that is under way has taken so far, in ms; 0 when there is none. */
  writingMs(): number;
}

/** Fields are facts with a unit in their name; `event` names a row of the table in log.ts. */
export interface MemberLog {
  info(fields: Readonly<Record<string, unknown>> & { readonly event: string }, sentence: string): void;
  warn(fields: Readonly<Record<string, unknown>> & { readonly event: string }, sentence: string): void;
  error(fields: Readonly<Record<string, unknown>> & { readonly event: string }, sentence: string): void;
}

export interface CallOptions {
  /** The caller walked away. */
  readonly signal: AbortSignal;
  /** It came from another node: it is not passed on again (one hop). */
  readonly forwarded: boolean;
}

export interface MemberPorts {
  /** ONE LevelDB for log and state; raft's log store is its only writer. */
  readonly database: Database & StateReader;
  /** The disk below it. */
  readonly disk: DiskPort;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: MemberLog;
  /** Passes a request to the leader. @throws HoldfastError */
  forward<V extends Verb>(
    to: Peer,
    verb: V,
    request: RequestOf<V>,
    options: { readonly signal: AbortSignal },
  ): Promise<AnswerOf<V>>;
  /** The node must stop; it answers nobody from now on. */
  onFatal(error: Error): void;
  /** How late a first handover was; for the histogram. */
  onDelivered(topic: string, latenessMs: number): void;
}

export interface Service {
  /** Checks the request, forwards it where needed, answers. @throws HoldfastError, nothing else */
  call<V extends Verb>(verb: V, request: RequestOf<V>, options: CallOptions): Promise<AnswerOf<V>>;
}

export interface MemberStatus {
  readonly raft: RaftStatus;
  /** Leads, serves, and is not in doubt. */
  readonly serving: boolean;
  readonly scheduler: SchedulerStatus | undefined;
  readonly clusterId: string | undefined;
  readonly clockMs: number;
  readonly stateHash: string;
  /** What all members know to understand. */
  readonly activeVersion: number;
  /** A voter's clock minus the median, where known. */
  readonly skewMs: ReadonlyMap<NodeId, number>;
  /** The own disk, where known; on a leader also what the others say of theirs. */
  readonly disks: ReadonlyMap<NodeId, DiskSeen>;
  /** Enough disks have room, as far as this node knows: a leader knows best. */
  readonly acceptsNew: boolean;
  /** How often the process stood still for an election timeout or longer, and the longest time that it did. */
  readonly pauses: { readonly count: number; readonly longestMs: number };
  /** How long the write under way has taken so far. */
  readonly writingMs: number;
  readonly leaderChanges: number;
  /** How often this node gave leadership away because its own clock was wrong. */
  readonly skewHandOvers: number;
  readonly requestsInProgress: number;
  readonly backupsInProgress: number;
  /** Requests refused by this node itself and by its past schedulers, by the name of their bound; raft and the scheduler count their own. */
  readonly refusals: ReadonlyMap<string, number>;
}

export interface Member {
  start(): Promise<void>;
  readonly service: Service;
  status(): MemberStatus;
  /** Answers its waiters, stops proposing, writes what is pending, closes its transport. */
  stop(): Promise<void>;
}
