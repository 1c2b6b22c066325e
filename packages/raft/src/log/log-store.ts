// What a log store promises: order, atomicity and durability. The conformance suite holds every implementation to it.

import type { Entry } from '../core/message.ts';
import type { HardState } from '../core/ready.ts';
import type { LogReader } from '../core/types.ts';
import type { Effects } from '../state-machine.ts';
import type { Founding } from './founding.ts';
import type { Identity } from './identity.ts';

/** One turn: everything in it becomes durable together, or nothing does. */
export interface Turn {
  readonly hardState: HardState | undefined;
  readonly truncateFrom: number | undefined;
  readonly entries: readonly Entry[];
  /** Effects of entries up to at most the last durable index. */
  readonly effects: Effects;
}

export interface LogStore extends LogReader {
  readonly hardState: HardState;
  /** Bytes of the entries that the log holds. */
  readonly logBytes: number;
  /**
   * Writes one turn, synced. Resolves when it is durable; only then do the reader's methods show it. Never two at a
   * time (asserted). A rejection is fatal: nothing is known about what is on disk, the node must stop.
   */
  write(turn: Turn): Promise<void>;
  /** Whose log this is, as it is on disk. */
  readonly identity: Identity;
  /** Stores a founding record, synced; before the first turn, under the rules of `write`. */
  writeFounding(founding: Founding): Promise<void>;
  /** Waits for a write in flight. The database belongs to whoever opened it. */
  close(): Promise<void>;
}
