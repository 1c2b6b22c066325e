// Backups of a node that runs: its state at one applied index, as a stream that is read as fast as it is taken. Nothing is
// read ahead, so a slow reader costs no memory; but each keeps what was deleted since on the disk, so there are few at a
// time, and none for ever.
import { type AnswerOf, HoldfastError } from '@holdfast/api';
import type { Clock } from '@holdfast/raft';
import { type StateExport, type Store, writeBackup } from '@holdfast/store';

export const backupBounds = {
  /** At a time, on one node. */
  backups: 2,
  /** Whoever asks for nothing more for so long gets nothing more. */
  idleMs: 60_000,
  /** From its beginning to its end. */
  wholeMs: 6 * 3_600_000,
  /** What was applied is on the disk within it; the linger of effects and one write of a busy disk are less. */
  writtenMs: 10_000,
} as const;

const retryAfterMs = 5_000;
/** How often it is looked whether what was applied is written. */
const lookMs = 5;

export interface Backups {
  /** Under way. */
  readonly running: number;
  /** Refused because there were as many as there may be. */
  readonly refused: number;
  /**
   * Everything that this node has applied by now is in it.
   *
   * @param signal the reader has gone away
   * @throws HF_BACKUP_BUSY, HF_STOPPING, HF_OVERLOADED
   */
  begin(signal: AbortSignal): Promise<AnswerOf<'backup'>>;
}

export interface BackupsPorts {
  readonly store: Pick<Store, 'applied' | 'exportState'>;
  readonly clock: Clock;
  readonly clusterId: () => string | undefined;
  readonly isStopping: () => boolean;
  /** The state can not be read. */
  readonly onFault: (error: unknown) => void;
}

export function createBackups(ports: BackupsPorts): Backups {
  return new LocalBackups(ports);
}

class LocalBackups implements Backups {
  readonly #ports: BackupsPorts;
  running = 0;
  refused = 0;

  constructor(ports: BackupsPorts) {
    this.#ports = ports;
  }

  async begin(signal: AbortSignal): Promise<AnswerOf<'backup'>> {
    if (this.running >= backupBounds.backups) {
      this.refused += 1;
      throw new HoldfastError('HF_BACKUP_BUSY', { retryAfterMs });
    }
    this.running += 1;
    try {
      const state = await this.#written(this.#ports.store.applied.index, signal);
      return new RunningBackup(this.#ports, state, signal, () => {
        this.running -= 1;
      });
    } catch (error) {
      this.running -= 1;
      throw error;
    }
  }

  /** What is on the disk is behind what was applied, by a moment: the export is of the disk. */
  async #written(index: number, signal: AbortSignal): Promise<StateExport> {
    const { store, clock } = this.#ports;
    const endsAtMs = clock.monotonicMs() + backupBounds.writtenMs;
    for (;;) {
      if (this.#ports.isStopping() || signal.aborted) throw new HoldfastError('HF_STOPPING');
      const state = store.exportState();
      if (state.applied.index >= index) return state;
      await state.close();
      if (clock.monotonicMs() >= endsAtMs) throw new HoldfastError('HF_OVERLOADED', { retryAfterMs });
      await new Promise<void>((resolve) => clock.after(lookMs, resolve));
    }
  }
}

/** Ends once: at its end, when the reader goes away or takes nothing, when it takes too long, or when the node stops. */
class RunningBackup implements AsyncIterable<Uint8Array> {
  readonly #ports: BackupsPorts;
  readonly #pieces: AsyncGenerator<Uint8Array>;
  readonly #state: StateExport;
  readonly #signal: AbortSignal;
  readonly #onEnd: () => void;
  readonly #endsAtMs: number;
  #cancelIdle: () => void = () => undefined;
  #hasEnded = false;

  constructor(ports: BackupsPorts, state: StateExport, signal: AbortSignal, onEnd: () => void) {
    const { clock, clusterId } = ports;
    this.#ports = ports;
    this.#state = state;
    this.#signal = signal;
    this.#onEnd = onEnd;
    this.#endsAtMs = clock.monotonicMs() + backupBounds.wholeMs;
    this.#pieces = writeBackup(state, { clusterId: clusterId() ?? '', createdMs: clock.wallMs() });
    signal.addEventListener('abort', this.#end);
    if (signal.aborted) this.#end();
    else this.#waitForReader();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const { clock, isStopping, onFault } = this.#ports;
    this.#cancelIdle();
    if (isStopping() || clock.monotonicMs() >= this.#endsAtMs) this.#end();
    if (this.#hasEnded) throw new HoldfastError('HF_STOPPING');
    try {
      const next = await this.#pieces.next();
      if (next.done === true) this.#end();
      else this.#waitForReader();
      return next;
    } catch (error) {
      // One that was ended while it read fails for that reason alone.
      if (!this.#hasEnded) onFault(error);
      this.#end();
      throw error;
    }
  }

  #waitForReader(): void {
    if (!this.#hasEnded) this.#cancelIdle = this.#ports.clock.after(backupBounds.idleMs, this.#end);
  }

  readonly #end = (): void => {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelIdle();
    this.#signal.removeEventListener('abort', this.#end);
    this.#onEnd();
    // The database may be closed already, and its snapshots with it.
    this.#state.close().catch(() => undefined);
  };
}
