// The log without a disk, for tests and for trying things out. Same contract, same conformance suite.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';
import type { HardState } from '../core/ready.ts';
import type { Founding } from './founding.ts';
import { type Identity, type Membership, newIdentity } from './identity.ts';
import type { LogStore, Turn } from './log-store.ts';

export interface MemoryLogOptions extends Membership {
  /** Uniform in [0, 1): the incarnation is drawn from it. */
  readonly random: () => number;
}

/** Keeps everything as long as the object lives: a node that starts again on the same object finds what was written. */
export class MemoryLog implements LogStore {
  readonly firstIndex = 1;
  readonly #entries: Entry[] = [];
  readonly #state = new Map<string, Uint8Array>();
  #identity: Identity;
  #hardState: HardState = { term: 0, vote: undefined };
  #logBytes = 0;
  #writing = false;

  constructor(options: MemoryLogOptions) {
    this.#identity = newIdentity(options, options.random);
  }

  get identity(): Identity {
    return this.#identity;
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get lastIndex(): number {
    return this.#entries.length;
  }

  get logBytes(): number {
    return this.#logBytes;
  }

  /** What the effects of all turns have left under a key. */
  stateRow(key: Uint8Array): Uint8Array | undefined {
    return this.#state.get(nameOf(key));
  }

  term(index: number): number | undefined {
    return index === 0 ? 0 : this.#entries[index - 1]?.term;
  }

  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[] {
    assert(from >= 1 && toInclusive <= this.lastIndex && from <= toInclusive);
    let bytes = 0;
    let end = from - 1;
    for (; end < toInclusive; end++) {
      bytes += this.#entries[end]?.bytes.length ?? 0;
      if (end >= from && bytes > maxBytes) break;
    }
    return this.#entries.slice(from - 1, end);
  }

  async write(turn: Turn): Promise<void> {
    await this.#alone();
    if (turn.truncateFrom !== undefined) {
      assert(turn.truncateFrom >= 1 && turn.truncateFrom <= this.lastIndex + 1, 'truncation outside of the log');
      for (const removed of this.#entries.splice(turn.truncateFrom - 1)) this.#logBytes -= removed.bytes.length;
    }
    for (const entry of turn.entries) {
      assert(entry.index === this.lastIndex + 1 && entry.term >= (this.term(this.lastIndex) ?? 0));
      this.#entries.push(entry);
      this.#logBytes += entry.bytes.length;
    }
    this.#hardState = turn.hardState ?? this.#hardState;
    for (const { key, value } of turn.effects) {
      if (value === undefined) this.#state.delete(nameOf(key));
      else this.#state.set(nameOf(key), value);
    }
  }

  async writeFounding(founding: Founding): Promise<void> {
    await this.#alone();
    this.#identity = { ...this.#identity, founding };
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /** A write takes a moment, as it does on a disk: readers must not see it before. */
  async #alone(): Promise<void> {
    assert(!this.#writing, 'two writes in flight');
    this.#writing = true;
    await Promise.resolve();
    this.#writing = false;
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
