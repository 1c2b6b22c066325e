// What apply answers, one verdict a command. A refusal is a verdict, alike on every replica; it leaves nothing behind.
import type { CommandKind } from './command.ts';
import type { Position } from './position.ts';

/** Codes are the ones of the API's error table where a user can meet them. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code:
    | 'undecodable'
    | 'topicNotFound'
    | 'groupNotFound'
    | 'topicLimit'
    | 'groupLimit'
    | 'idempotencyKeyReused'
    | 'cursorMoved'
    | 'graceRunning'
    | 'tooManyRows';
}

/** How a message ended, for all groups. */
export type End =
  | { readonly kind: 'cancelled' }
  /**
   * Ended for all groups after some group had been handed it. `attempts`: the highest of the holds that stood, 0 when
   * the groups that were handed it were done with it.
   */
  | { readonly kind: 'stopped'; readonly attempts: number }
  /** Every group that was to get it acknowledged it. A row says so only for a message below the horizon. */
  | { readonly kind: 'delivered' }
  /** Every group of its topic started after it, so it was handed to nobody, and was swept. */
  | { readonly kind: 'skipped' };

/** What is known of a message that has no row. */
export type Fate =
  | End
  | { readonly kind: 'notFound' }
  /** Below the horizon of ended rows: how it ended is no longer known. */
  | { readonly kind: 'forgotten' };

export type CancelVerdict = Fate | { readonly kind: 'leased'; readonly leasedUntilMs: number };

export interface GrantedLease {
  readonly position: Position;
  readonly receive: number;
  readonly token: number;
  readonly attempt: number;
  readonly untilMs: number;
}

export type LeaseAnswer = 'ok' | 'receiptNotCurrent' | 'notFound';

export interface Verdicts {
  begin: { readonly kind: 'begun'; readonly releaseFromMs: number };
  tick: { readonly kind: 'ticked' };
  schedule:
    | {
        readonly kind: 'scheduled';
        readonly topic: number;
        readonly positions: readonly Position[];
        readonly repeated: boolean;
      }
    | Refusal;
  createGroup:
    | { readonly kind: 'group'; readonly topic: number; readonly group: number; readonly created: boolean }
    | Refusal;
  deleteGroup: { readonly kind: 'deleting' } | Refusal;
  /** Rows that were no longer as assumed are left out. */
  lease: { readonly kind: 'leased'; readonly leases: readonly GrantedLease[] } | Refusal;
  ack: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  nack: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  extend:
    | {
        readonly kind: 'extended';
        readonly answers: readonly { readonly answer: LeaseAnswer; readonly untilMs: number }[];
      }
    | Refusal;
  cancel: (CancelVerdict & { readonly repeated: boolean }) | Refusal;
  release: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  giveBack: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  collect: { readonly kind: 'collected'; readonly rows: number } | Refusal;
  /** The version that is in force now. */
  activate: { readonly kind: 'activated'; readonly version: number } | Refusal;
}

export type VerdictOf<K extends CommandKind> = Verdicts[K];
export type Verdict = Verdicts[CommandKind];
