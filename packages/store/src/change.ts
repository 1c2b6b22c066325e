// What an entry changed, told to the leader's scheduler once the whole entry is visible. Derived, never stored.
import type { Position } from './position.ts';

export type Change =
  | { readonly kind: 'scheduled'; readonly topic: number; readonly position: Position }
  | {
      readonly kind: 'leased';
      readonly topic: number;
      readonly group: number;
      readonly position: Position;
      readonly token: number;
      readonly untilMs: number;
      readonly attempt: number;
      readonly receiveId: Uint8Array;
    }
  | {
      readonly kind: 'extended';
      readonly topic: number;
      readonly group: number;
      readonly position: Position;
      readonly token: number;
      readonly untilMs: number;
    }
  | {
      readonly kind: 'retry';
      readonly topic: number;
      readonly group: number;
      readonly position: Position;
      readonly retryAtMs: number;
      readonly retrySeq: number;
    }
  /** The hold is gone, or is a dead letter now: nothing is to be done for it. */
  | {
      readonly kind: 'settled';
      readonly topic: number;
      readonly group: number;
      readonly position: Position;
      readonly how: 'acknowledged' | 'dead' | 'ended';
    }
  | { readonly kind: 'cursor'; readonly topic: number; readonly group: number; readonly cursor: Position }
  | {
      readonly kind: 'group';
      readonly topic: number;
      readonly group: number;
      readonly state: 'active' | 'deleting' | 'deleted';
    }
  | { readonly kind: 'begun'; readonly term: number; readonly releaseFromMs: number };

export type ChangeListener = (changes: readonly Change[], clockMs: number) => void;
