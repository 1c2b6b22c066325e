// What raft asks of whoever applies. Everything here is synchronous: apply decides from rows that it can read at once.

/** A put, or a delete where `value` is undefined. Keys are unique within one list. */
export interface Effect {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}
export type Effects = readonly Effect[];

export interface EntryInfo {
  readonly index: number;
  readonly term: number;
  /** What the owner put into the entry when group commit closed it; empty for the core's own entries. */
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
