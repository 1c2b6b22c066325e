// What apply answers, one verdict a command. A refusal is a verdict, alike on every replica; it leaves nothing behind.
import type { CommandKind } from './command.ts';
import type { Position } from './position.ts';

/** Codes are the ones of the API's error table where a user can meet them. */
export interface Refusal {
  readonly kind: 'refused';
  readonly code: 'undecodable' | 'topicNotFound' | 'groupNotFound' | 'topicLimit' | 'groupLimit' | 'idempotencyKeyReused' | 'cursorMoved' | 'graceRunning' | 'tooManyRows';
}

/** How a message ended, for all groups. */
export type End =
  | { readonly kind: 'cancelled' }
  /** Ended for all groups after some group had been handed it. */
  | { readonly kind: 'stopped'; readonly attempts: number };

export type CancelVerdict =
  | End
  | { readonly kind: 'leased'; readonly leasedUntilMs: number }
  | { readonly kind: 'delivered' }
  | { readonly kind: 'notFound' }
  /** Below the horizon of ended rows: how it ended is no longer known. */
  | { readonly kind: 'forgotten' };

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
  schedule: { readonly kind: 'scheduled'; readonly topic: number; readonly positions: readonly Position[]; readonly repeated: boolean } | Refusal;
  createGroup: { readonly kind: 'group'; readonly topic: number; readonly group: number; readonly created: boolean } | Refusal;
  deleteGroup: { readonly kind: 'deleting' } | Refusal;
  /** Rows that were no longer as assumed are left out. */
  lease: { readonly kind: 'leased'; readonly leases: readonly GrantedLease[] } | Refusal;
  ack: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  nack: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  extend: { readonly kind: 'extended'; readonly answers: readonly { readonly answer: LeaseAnswer; readonly untilMs: number }[] } | Refusal;
  cancel: (CancelVerdict & { readonly repeated: boolean }) | Refusal;
  release: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  giveBack: { readonly kind: 'answers'; readonly answers: readonly LeaseAnswer[] } | Refusal;
  collect: { readonly kind: 'collected'; readonly rows: number } | Refusal;
}

export type VerdictOf<K extends CommandKind> = Verdicts[K];
export type Verdict = Verdicts[CommandKind];
