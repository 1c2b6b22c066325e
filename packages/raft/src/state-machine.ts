// What raft asks of whoever applies. Everything here is synchronous: apply decides from rows that it can read at once.

/** A put, or a delete where `value` is undefined. Keys are unique within one list. */
export interface Effect {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}
/** What is to be written together, in no order that matters. */
export type Effects = readonly Effect[];

/** Which entry is about to be applied. Index and term are from 1 on. */
export interface EntryInfo {
  readonly index: number;
  readonly term: number;
  /**
   * What the owner put into the entry when group commit closed it (`RaftOwner.entryHeader`), at most 65,535 bytes; empty for
   * the core's own entries.
   */
  readonly header: Uint8Array;
}

/**
 * One entry is applied as begin, command..., end. Between two commands the driver may yield to the event loop, so reads
 * must see nothing of the entry before `end`: effects and results appear together.
 *
 * An exception from `begin`, `command` or `end` is fatal: the node stops before anything of that entry is written. A
 * command that cannot be decoded, or that is refused, is a result and not an exception.
 */
export interface StateMachine<Result> {
  /** Index and term of the last entry whose `end` was called. */
  readonly applied: { readonly index: number; readonly term: number };
  begin(entry: EntryInfo): void;
  command(bytes: Uint8Array): Result;
  end(): void;
  /** Bytes of effects that no turn has taken yet. */
  readonly pendingBytes: number;
  /**
   * Seals the effects of all ended entries since the last call into one layer, and returns them, the applied index
   * among them. The driver writes them in its next turn and then calls `effectsWritten`.
   */
  takeEffects(): Effects;
  /** The oldest sealed layer is on disk: new reads need not look into it. */
  effectsWritten(): void;
}

/** One row of the state, as a snapshot carries it: the key without the head that names the generation. */
export interface StateRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The state as it was on the disk at one moment. Nothing that is written afterwards shows; writes go on meanwhile. */
export interface StateExport {
  /** Of exactly these rows: read from the same snapshot of the database, not from memory. */
  readonly applied: { readonly index: number; readonly term: number };
  /**
   * Rows in order of their keys, behind `after` (from the first one when undefined): at most `maxBytes` of keys and
   * values, but at least one row while there is one. `done`: nothing follows. May be asked for the same place again.
   */
  read(
    after: Uint8Array | undefined,
    maxBytes: number,
  ): Promise<{ readonly rows: readonly StateRow[]; readonly done: boolean }>;
  /** Gives the snapshot of the database back. Waits for a read that is under way. */
  close(): Promise<void>;
}

/**
 * A state machine whose state can be sent to another member, and replaced by another member's (thesis 5).
 *
 * Rows lie in the database under a generation: every key begins with byte 02 and the generation in four bytes. A state
 * that is received is written beside the one that is in use, under a generation of its own; one turn flips to it.
 */
export interface SnapshotStateMachine<Result> extends StateMachine<Result> {
  /** The version that all members understand (a committed command raises it). Below 2 raft neither compacts nor sends. */
  readonly activeVersion: number;
  /** Synchronous: the snapshot is of this moment. The caller closes it. */
  exportState(): StateExport;
  /**
   * The puts that place rows of another member's export under `generation`. Changes nothing here.
   * @throws when a row is none of this state machine's, or damaged: the whole import is given up
   */
  importRows(generation: number, rows: readonly StateRow[]): Effects;
  /**
   * The flip to `generation` is on the disk: everything of the state before it is forgotten, effects that were applied
   * and not written among it, and `applied` is what the new rows say. No entry is open, and nothing is called before it
   * resolves. A rejection is fatal: what was installed is no state of this machine.
   */
  adopt(generation: number): Promise<void>;
}
