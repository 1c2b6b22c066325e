// The leader's side: one export of the state at a time, for everyone who needs one. Its rows are read when they are
// asked for, so that a slow member costs no memory here, and writes go on meanwhile.
import type { NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import type { StateExport } from '../state-machine.ts';
import { snapshotBounds } from './bounds.ts';
import { encodeChunk } from './chunk.ts';
import type { SnapshotControl, SnapshotFetch } from './control.ts';

export interface ExporterOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly exportState: () => StateExport;
  /** The first index of the log: an export must reach to the entry before it at least. */
  readonly firstIndex: () => number;
  /** The encoded configuration that is in force at `index`. */
  readonly configurationAt: (index: number) => Uint8Array;
  readonly send: (to: NodeId, control: SnapshotControl) => void;
  readonly sendBulk: (to: NodeId, bytes: Uint8Array) => void;
  readonly count: (what: 'goneExport' | 'repeatedFetch') => void;
  /** The state can not be read: nothing is known about this disk any more. */
  readonly onFailed: (error: unknown) => void;
}

interface Current {
  readonly id: number;
  readonly state: StateExport;
  usedAtMs: number;
  /** Members that have asked for rows and have not said that they are done. */
  readonly users: Set<NodeId>;
  /** Members whose request is being answered. */
  readonly answering: Set<NodeId>;
}

export class Exporter {
  readonly #options: ExporterOptions;
  #current: Current | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  /** Bytes of chunks that were sent. */
  sentBytes = 0;

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  /** Entries behind it follow the export that is open: whoever gets it needs them next. */
  get index(): number | undefined {
    return this.#current?.state.applied.index;
  }

  /** This member can not be helped with entries any more. */
  offer(to: NodeId): void {
    const { firstIndex, configurationAt, send } = this.#options;
    // What follows it in the log was compacted since: whoever took it would need another one at once.
    if (this.#current !== undefined && this.#current.state.applied.index < firstIndex() - 1) this.close();
    const { id, state } = this.#current ?? this.#open();
    const { index, term } = state.applied;
    send(to, { kind: 'snapshotOffer', exportId: id, index, term, configuration: configurationAt(index) });
  }

  fetched(from: NodeId, { exportId, after }: SnapshotFetch): void {
    const { clock, send, count } = this.#options;
    const current = this.#current;
    if (current?.id !== exportId) {
      count('goneExport');
      return send(from, { kind: 'snapshotGone', exportId });
    }
    current.usedAtMs = clock.monotonicMs();
    current.users.add(from);
    if (current.answering.has(from)) return count('repeatedFetch');
    current.answering.add(from);
    void this.#answer(current, from, after);
  }

  /** This member has all that it needs. */
  finished(peer: NodeId): void {
    const users = this.#current?.users;
    if (users?.delete(peer) === true && users.size === 0) this.close();
  }

  tick(nowMs: number): void {
    if (this.#current !== undefined && nowMs - this.#current.usedAtMs > snapshotBounds.exportIdleMs) this.close();
  }

  /** Gives the export back: nobody needs it, or this member leads no more. */
  close(): void {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    const closed = current.state.close().catch((error: unknown) => this.#options.onFailed(error));
    this.#closed = Promise.all([this.#closed, closed]).then(() => undefined);
  }

  /** Resolves when every export that was closed is closed. */
  async stop(): Promise<void> {
    this.close();
    await this.#closed;
  }

  #open(): Current {
    const { clock, random, exportState } = this.#options;
    const id = Math.floor(random() * Number.MAX_SAFE_INTEGER);
    this.#current = { id, state: exportState(), usedAtMs: clock.monotonicMs(), users: new Set(), answering: new Set() };
    return this.#current;
  }

  async #answer(current: Current, to: NodeId, after: Uint8Array | undefined): Promise<void> {
    try {
      const { rows, done } = await current.state.read(after, snapshotBounds.chunkBytes);
      if (this.#current !== current) return;
      const chunk = encodeChunk({ exportId: current.id, after, rows, done });
      this.sentBytes += chunk.length;
      this.#options.sendBulk(to, chunk);
    } catch (error) {
      // A read of an export that was closed meanwhile is nobody's fault.
      if (this.#current === current) this.#options.onFailed(error);
    } finally {
      current.answering.delete(to);
    }
  }
}
