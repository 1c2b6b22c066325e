// Every proposal ends: applied, refused, or unknown. Nothing is left waiting.
import type { Transferred } from '../core/types.ts';

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

/** Of leadership. `oldVersion`: some member may not understand it yet. */
export type TransferOutcome = Transferred | { readonly kind: 'refused'; readonly reason: 'oldVersion' };
