// The newest entries, in memory, bounded in bytes: what followers and apply ask for nearly always.
import { strict as assert } from 'node:assert';
import type { Entry } from '../core/message.ts';

export class EntryCache {
  readonly #maxBytes: number;
  /** Contiguous indexes; slots before `#start` are given up already. */
  #entries: (Entry | undefined)[] = [];
  #start = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(index: number): Entry | undefined {
    const first = this.#entries[this.#start];
    return first === undefined || index < first.index ? undefined : this.#entries[this.#start + index - first.index];
  }

  append(entry: Entry): void {
    const last = this.#entries.at(-1);
    assert(last === undefined || last.index + 1 === entry.index);
    this.#entries.push(entry);
    this.#bytes += entry.bytes.length;
    // The newest entry stays, however large it is.
    while (this.#bytes > this.#maxBytes && this.#start < this.#entries.length - 1) this.#dropFirst();
    if (this.#start > 1024 && this.#start * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
  }

  truncate(index: number): void {
    while (this.#entries.length > this.#start && (this.#entries.at(-1)?.index ?? 0) >= index) {
      this.#bytes -= this.#entries.pop()?.bytes.length ?? 0;
    }
    if (this.#entries.length === this.#start) {
      this.#entries = [];
      this.#start = 0;
    }
  }

  #dropFirst(): void {
    this.#bytes -= this.#entries[this.#start]?.bytes.length ?? 0;
    this.#entries[this.#start] = undefined;
    this.#start += 1;
  }
}
