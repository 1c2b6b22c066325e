// Walk 4/15: the command. It names exact rows and says what it assumes of them; apply checks, and answers with a verdict.
// From server/service, on to raft/driver/group-commit.ts.
//
// No command says "the next ten" or "all that are due": scans are the leader's, and a command of a deposed leader, or a
// repeated one, must do no harm. Times in ms; a delay is counted from the replicated clock at apply.

import type { Position } from './position.ts';

export type DeliverAt =
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'delay'; readonly delayMs: number };

export interface NewMessage {
  readonly at: DeliverAt;
  /** Encoded by the leader, kept as they are by every replica. */
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
}

/** A client's key for repeating a request: same key and same request, the first answer again. */
export interface Idempotency {
  /** At most 128 bytes. */
  readonly key: string;
  /** Hash of the request, 16 bytes. */
  readonly requestHash: Uint8Array;
  readonly keepMs: number;
}

/** How a group treats what was not acknowledged. Delays in ms. */
export interface GroupConfig {
  readonly maxAttempts: number;
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
}

export type GroupStart =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'now' }
  | { readonly kind: 'time'; readonly timeMs: number };

/** A message in the hands of one consumer: which, and with which token. */
export interface LeaseRef {
  readonly position: Position;
  readonly token: number;
}

/** One receive that a lease command serves. */
export interface ReceiveRef {
  /** 16 random bytes, drawn by the client. */
  readonly receiveId: Uint8Array;
  readonly leaseMs: number;
}

export interface LeaseCommand {
  readonly kind: 'lease';
  readonly topic: number;
  readonly group: number;
  /** Rows of the lane: the group's cursor must equal `from`, and becomes `to`. Undefined when only retries are leased. */
  readonly cursor: { readonly from: Position; readonly to: Position } | undefined;
  readonly receives: readonly ReceiveRef[];
  /** At most 256 rows in `lane` and `retries` together; `receive` indexes `receives`. Lane rows are in (from, to]. */
  readonly lane: readonly { readonly position: Position; readonly receive: number }[];
  readonly retries: readonly {
    readonly position: Position;
    readonly retryAtMs: number;
    readonly retrySeq: number;
    readonly receive: number;
  }[];
}

export type Command =
  | { readonly kind: 'begin'; readonly graceMs: number }
  | { readonly kind: 'tick' }
  /** Creates the topic when it is new. All of `messages` or none. */
  | {
      readonly kind: 'schedule';
      readonly topic: string;
      readonly messages: readonly NewMessage[];
      readonly idempotency: Idempotency | undefined;
    }
  /** Creates topic and group when they are new; an existing group is left as it is unless `replaceConfig`. */
  | {
      readonly kind: 'createGroup';
      readonly topic: string;
      readonly group: string;
      readonly start: GroupStart;
      readonly config: GroupConfig;
      readonly replaceConfig: boolean;
    }
  | { readonly kind: 'deleteGroup'; readonly topic: number; readonly group: number }
  | LeaseCommand
  | { readonly kind: 'ack'; readonly topic: number; readonly group: number; readonly leases: readonly LeaseRef[] }
  /** `delayMs` was decided by the leader (the caller's, or the group's back-off with jitter). */
  | {
      readonly kind: 'nack';
      readonly topic: number;
      readonly group: number;
      readonly leases: readonly (LeaseRef & { readonly delayMs: number; readonly reason: string })[];
    }
  | {
      readonly kind: 'extend';
      readonly topic: number;
      readonly group: number;
      readonly leases: readonly LeaseRef[];
      readonly leaseMs: number;
    }
  | {
      readonly kind: 'cancel';
      readonly topic: number;
      readonly position: Position;
      readonly idempotency: Idempotency | undefined;
    }
  /** Leases that ran out; `delayMs` from the group's back-off. `giveBack`: the lease's answer reached nobody (no attempt counts). */
  | {
      readonly kind: 'release';
      readonly topic: number;
      readonly group: number;
      readonly leases: readonly (LeaseRef & { readonly delayMs: number })[];
    }
  | { readonly kind: 'giveBack'; readonly topic: number; readonly group: number; readonly leases: readonly LeaseRef[] }
  /** Housekeeping in bounded steps, naming what it saw. */
  | { readonly kind: 'collect'; readonly steps: readonly CollectStep[] }
  /** Raises the active version, once every member knows `version`. */
  | { readonly kind: 'activate'; readonly version: number };

export type CollectStep =
  /** Answers whose `until` has passed. */
  | {
      readonly kind: 'answers';
      readonly topic: number;
      readonly keys: readonly { readonly key: string; readonly untilMs: number }[];
    }
  /** Ended rows older than the horizon. */
  | {
      readonly kind: 'ended';
      readonly rows: readonly { readonly topic: number; readonly position: Position; readonly endedAtMs: number }[];
    }
  /** Messages that every group is done with (a deleted group leaves some) [V2]. */
  | { readonly kind: 'messages'; readonly topic: number; readonly positions: readonly Position[] }
  /** Rows of a group in state `deleting`. */
  | {
      readonly kind: 'group';
      readonly topic: number;
      readonly group: number;
      readonly holds: readonly Position[];
      readonly last: boolean;
    };

export type CommandKind = Command['kind'];
export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;
