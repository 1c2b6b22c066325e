// Every proposal ends: applied, refused, or unknown. Nothing is left waiting.
import type { Transferred } from '../core/types.ts';

/**
 * What became of a proposal. Why it was not applied: this member does not lead; it is `overloaded`, with `maxWaitingProposals`
 * or `maxWaitingBytes` of others before it (driverBounds); it stops; the command is over `maxCommandBytes`; or it was appended
 * and another leader's entry was applied in its place. Only a retry that a state machine recognizes is safe after `unknown`.
 */
export type Outcome<Result> =
  /** Committed and applied on this node: durable at a majority. */
  | { readonly kind: 'applied'; readonly result: Result; readonly index: number; readonly term: number }
  /** Not applied, and it never will be: never appended, or its index was applied with another term. */
  | {
      readonly kind: 'notApplied';
      readonly reason: 'notLeader' | 'overloaded' | 'stopping' | 'tooLarge' | 'overwritten';
    }
  /** It was appended, and then leadership or this node was lost: it may still be applied. */
  | { readonly kind: 'unknown'; readonly index: number; readonly term: number };

/** Of leadership (thesis 3.10). `oldVersion`: some member may not understand it yet. */
export type TransferOutcome = Transferred | { readonly kind: 'refused'; readonly reason: 'oldVersion' };
