// The log without a disk, for tests and for trying things out. Same contract, same conformance suite.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';
import type { HardState } from '../core/ready.ts';
import type { Effects } from '../state-machine.ts';
import type { Founding } from './founding.ts';
import { firstGeneration } from './generations.ts';
import { type Identity, type Membership, newIdentity } from './identity.ts';
import { isStateOf } from './keyspace.ts';
import type { LoggedConfiguration, LogStore, Restore, Turn } from './log-store.ts';

/** Whose log it is to be. `MemoryLog` throws what `newIdentity` throws. */
export interface MemoryLogOptions extends Membership {
  /** Uniform in [0, 1): the incarnation is drawn from it. */
  readonly random: () => number;
}

/**
 * Keeps everything as long as the object lives: a node that starts again on the same object finds what was written. After a
 * write that was refused, part of its turn may be there.
 */
export class MemoryLog implements LogStore {
  #entries: Entry[] = [];
  /** Index and term of the entry before the first. */
  #base: { readonly index: number; readonly term: number } = { index: 0, term: 0 };
  #configurations: readonly LoggedConfiguration[] = [];
  readonly #state = new Map<string, Uint8Array>();
  #generation = firstGeneration;
  #drawn = firstGeneration;
  #unswept: readonly number[] = [];
  #imported: number | undefined;
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

  get firstIndex(): number {
    return this.#base.index + 1;
  }

  get lastIndex(): number {
    return this.#base.index + this.#entries.length;
  }

  get logBytes(): number {
    return this.#logBytes;
  }

  get configurations(): readonly LoggedConfiguration[] {
    return this.#configurations;
  }

  get generation(): number {
    return this.#generation;
  }

  get unswept(): number {
    return this.#unswept.filter((generation) => generation !== this.#imported).length;
  }

  /** What the effects of all turns and imports have left under a key. */
  stateRow(key: Uint8Array): Uint8Array | undefined {
    return this.#state.get(nameOf(key));
  }

  term(index: number): number | undefined {
    if (index === 0) return 0;
    return index === this.#base.index ? this.#base.term : this.#entries[index - this.firstIndex]?.term;
  }

  entryBytes(index: number): number {
    return this.#entries[index - this.firstIndex]?.bytes.length ?? 0;
  }

  entries(from: number, toInclusive: number, maxBytes: number): readonly Entry[] {
    const { firstIndex } = this;
    assert(from >= firstIndex && toInclusive <= this.lastIndex && from <= toInclusive);
    let bytes = 0;
    let end = from - firstIndex;
    for (; end <= toInclusive - firstIndex; end++) {
      bytes += this.#entries[end]?.bytes.length ?? 0;
      if (end > from - firstIndex && bytes > maxBytes) break;
    }
    return this.#entries.slice(from - firstIndex, end);
  }

  async write(turn: Turn): Promise<void> {
    await this.#alone();
    this.#hardState = turn.hardState ?? this.#hardState;
    if (turn.restore !== undefined) return this.#flip(turn, turn.restore);
    if (turn.truncateFrom !== undefined) this.#truncate(turn.truncateFrom);
    for (const entry of turn.entries) {
      assert(entry.index === this.lastIndex + 1 && entry.term >= (this.term(this.lastIndex) ?? 0));
      this.#entries.push(entry);
      this.#logBytes += entry.bytes.length;
      const { index, kind, payload } = entry;
      if (kind === 'configuration') this.#configurations = [...this.#configurations, { index, configuration: payload }];
    }
    this.#put(turn.effects);
    if (turn.compactTo !== undefined) this.#compact(turn.compactTo);
  }

  async newGeneration(): Promise<number> {
    this.#drawn += 1;
    const drawn = this.#drawn;
    await Promise.resolve();
    this.#unswept = [...this.#unswept, drawn];
    this.#imported = drawn;
    return drawn;
  }

  async writeImport(generation: number, effects: Effects): Promise<void> {
    await Promise.resolve();
    assert(generation === this.#imported, `generation ${generation} is not being imported`);
    for (const { key, value } of effects) assert(value !== undefined && isStateOf(generation, key));
    this.#put(effects);
  }

  async dropImport(generation: number): Promise<void> {
    await Promise.resolve();
    if (this.#imported === generation) this.#imported = undefined;
  }

  async sweep(): Promise<void> {
    const swept = this.#unswept.find((generation) => generation !== this.#imported);
    if (swept === undefined) return;
    for (const name of this.#state.keys()) {
      if (isStateOf(swept, Buffer.from(name, 'latin1'))) this.#state.delete(name);
    }
    this.#unswept = this.#unswept.filter((generation) => generation !== swept);
  }

  #truncate(from: number): void {
    assert(from >= this.firstIndex && from <= this.lastIndex + 1, 'truncation outside of the log');
    for (const removed of this.#entries.splice(from - this.firstIndex)) this.#logBytes -= removed.bytes.length;
    this.#configurations = this.#configurations.filter(({ index }) => index < from);
  }

  #compact(firstIndex: number): void {
    const isInside = firstIndex >= this.firstIndex && firstIndex <= this.lastIndex + 1;
    assert(isInside, 'compaction outside of the log');
    const term = this.term(firstIndex - 1);
    assert(term !== undefined);
    for (const removed of this.#entries.splice(0, firstIndex - this.firstIndex)) this.#logBytes -= removed.bytes.length;
    this.#base = { index: firstIndex - 1, term };
    const base = this.#configurations.findLastIndex(({ index }) => index < firstIndex);
    this.#configurations = this.#configurations.slice(Math.max(0, base));
  }

  #flip(
    { entries, effects, truncateFrom, compactTo }: Turn,
    { index, term, configuration, generation }: Restore,
  ): void {
    const isAlone = entries.length + effects.length === 0 && truncateFrom === undefined && compactTo === undefined;
    assert(isAlone, 'a flip holds nothing else');
    assert(generation === this.#imported, `generation ${generation} was not imported`);
    this.#unswept = [...this.#unswept.filter((unswept) => unswept !== generation), this.#generation];
    this.#generation = generation;
    this.#imported = undefined;
    this.#entries = [];
    this.#logBytes = 0;
    this.#base = { index, term };
    this.#configurations = [{ index, configuration }];
  }

  #put(effects: Effects): void {
    for (const { key, value } of effects) {
      if (value === undefined) this.#state.delete(nameOf(key));
      else this.#state.set(nameOf(key), value);
    }
  }

  async writeFounding(founding: Founding): Promise<void> {
    await this.#alone();
    this.#identity = { ...this.#identity, founding };
  }

  async close(): Promise<void> {
    // Nobody goes on with an import.
    this.#imported = undefined;
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
