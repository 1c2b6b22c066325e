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
  /**
   * The first index of the log from now on: at most the applied index that is on the disk with this turn, + 1. What
   * lies before it is gone for readers, and its rows go in bounded steps afterwards. The term of the last entry that is
   * gone stays known.
   */
  readonly compactTo?: number | undefined;
  /** The flip to a state that was imported. Such a turn holds nothing else but a hard state. */
  readonly restore?: Restore | undefined;
}

/** Log and state move to `generation`: the log is empty behind `index`, the state is what was imported. */
export interface Restore {
  readonly index: number;
  readonly term: number;
  /** In force at `index`, encoded as in an entry. */
  readonly configuration: Uint8Array;
  /** From `newGeneration`; every import to it has resolved. */
  readonly generation: number;
}

/** A configuration that the log holds, or has held. */
export interface LoggedConfiguration {
  readonly index: number;
  /** Encoded, as in the entry. */
  readonly configuration: Uint8Array;
}

/**
 * A log, with the state that its effects add up to, on one disk. `logStoreChecks` holds an implementation to most of what
 * is said here. `entries` throws for what is compacted, what is behind the end, and where `from` is behind `toInclusive`.
 */
export interface LogStore extends LogReader {
  readonly hardState: HardState;
  /** Bytes of the entries that the log holds. */
  readonly logBytes: number;
  /** Of one of them. */
  entryBytes(index: number): number;
  /**
   * Writes one turn, synced. Resolves when it is durable; only then do the reader's methods show it. A rejection is fatal:
   * nothing is known about what is on disk, the node must stop.
   *
   * Rejects, and leaves nothing of the turn on the disk, where that can not follow: a second write while one is in flight;
   * entries with a hole, that are there already, or of a term that falls; a truncation before `firstIndex` or behind
   * `lastIndex` + 1; a compaction that goes back, or beyond `lastIndex` + 1; a flip to a generation that is not the one being
   * imported, or beside entries, effects, a truncation or a compaction.
   */
  write(turn: Turn): Promise<void>;
  /** Whose log this is, as it is on disk. */
  readonly identity: Identity;
  /**
   * The newest configuration before `firstIndex`, if the log has ever held one, then those in the log; in order. Empty
   * when the founding record is all that was ever said about members.
   */
  readonly configurations: readonly LoggedConfiguration[];
  /** Of log and state. */
  readonly generation: number;
  /**
   * Draws the number of a generation to import to; durable when it resolves. What was imported to one that was drawn
   * before, and never became the log's, is to be swept from then on.
   */
  newGeneration(): Promise<number>;
  /**
   * Writes rows of the state machine under the generation that was drawn last, synced: one batch of moderate size, when
   * no turn waits. Fatal when it rejects, as `write`, but where that generation is not being imported any more. Rejects for
   * rows of another generation, and for deletes.
   */
  writeImport(generation: number, effects: Effects): Promise<void>;
  /** The import to this generation is given up, if it is the one under way: its rows are to be swept. */
  dropImport(generation: number): Promise<void>;
  /** Generations whose rows are to be removed. */
  readonly unswept: number;
  /** Removes a bounded number of such rows, synced, when no turn waits. Never two at a time (asserted). */
  sweep(): Promise<void>;
  /** Stores a founding record, synced; before the first turn, under the rules of `write`. */
  writeFounding(founding: Founding): Promise<void>;
  /** Waits for a write in flight. The database belongs to whoever opened it. */
  close(): Promise<void>;
}
