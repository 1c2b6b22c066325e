// Committed entries enter the state machine: in memory, as soon as they are committed and durable here. Their effects
// ride on a later turn. Nothing of an entry is written before the whole of it is applied.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';
import { decodePayload, type Payload } from '../log/payload.ts';
import { RaftError, reasonOf } from '../raft-error.ts';
import type { StateMachine } from '../state-machine.ts';
import { driverBounds } from './bounds.ts';
import type { Clock } from './clock.ts';

export interface ApplierOptions<Result> {
  readonly stateMachine: StateMachine<Result>;
  readonly clock: Clock;
  readonly onApplied: (entry: Entry, results: readonly Result[]) => void;
}

interface Current<Result> {
  readonly entry: Entry;
  readonly commands: readonly Uint8Array[];
  readonly results: Result[];
}

/** Why `run` came back: nothing is left, its time is over, or too many effects wait for the disk. */
export type Pause = 'idle' | 'time' | 'effects';

/** Commands between two looks at the clock. */
const stride = 8;
const nothing: Payload = { header: new Uint8Array(0), commands: [] };

export class Applier<Result> {
  readonly #options: ApplierOptions<Result>;
  #queue: Entry[] = [];
  #current: Current<Result> | undefined;

  constructor(options: ApplierOptions<Result>) {
    this.#options = options;
  }

  get waitingEntries(): number {
    return this.#queue.length + (this.#current === undefined ? 0 : 1);
  }

  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#queue.push(entry);
  }

  /**
   * Applies for at most about 5 ms.
   *
   * @param sealedBytes effects in the turn that is being written
   * @throws RaftError HF_APPLY_FAILED: the node must stop; nothing of the entry may be written
   */
  run(sealedBytes: number): Pause {
    const { clock, stateMachine } = this.#options;
    const endMs = clock.monotonicMs() + driverBounds.applyYieldMs;
    let done = 0;
    for (;;) {
      let current = this.#current;
      if (current === undefined) {
        if (done >= this.#queue.length) break;
        if (stateMachine.pendingBytes + sealedBytes >= driverBounds.maxPendingEffectsBytes) break;
        const entry = this.#queue[done];
        assert(entry !== undefined);
        current = guarded(entry, () => this.#begin(entry));
        this.#current = current;
        done += 1;
      }
      if (!this.#step(current, endMs)) break;
      this.#current = undefined;
      this.#options.onApplied(current.entry, current.results);
      if (clock.monotonicMs() >= endMs) break;
    }
    this.#queue.splice(0, done);
    if (this.#current === undefined && this.#queue.length === 0) return 'idle';
    const full = stateMachine.pendingBytes + sealedBytes >= driverBounds.maxPendingEffectsBytes;
    return this.#current === undefined && full ? 'effects' : 'time';
  }

  #begin(entry: Entry): Current<Result> {
    const { header, commands } = entry.kind === 'commands' ? decodePayload(entry.payload) : nothing;
    this.#options.stateMachine.begin({ index: entry.index, term: entry.term, header });
    return { entry, commands, results: [] };
  }

  /** True when the entry is finished, false when the time is over. */
  #step({ entry, commands, results }: Current<Result>, endMs: number): boolean {
    const { stateMachine, clock } = this.#options;
    return guarded(entry, () => {
      for (let next = results.length; next < commands.length; next++) {
        const command = commands[next];
        assert(command !== undefined);
        results.push(stateMachine.command(command));
        if (next % stride === stride - 1 && next + 1 < commands.length && clock.monotonicMs() >= endMs) return false;
      }
      stateMachine.end();
      return true;
    });
  }
}

function guarded<T>(entry: Entry, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const { index, term } = entry;
    throw new RaftError(
      'HF_APPLY_FAILED',
      `Index ${index}, term ${term}: ${reasonOf(cause)}`,
      { index, term },
      { cause },
    );
  }
}
