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
    this.#entries.push(onItsOwn(entry));
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

  /** Nobody asks any more for what is before it. */
  compact(firstIndex: number): void {
    while ((this.#entries[this.#start]?.index ?? firstIndex) < firstIndex) this.#dropFirst();
  }

  #dropFirst(): void {
    this.#bytes -= this.#entries[this.#start]?.bytes.length ?? 0;
    this.#entries[this.#start] = undefined;
    this.#start += 1;
  }
}

/**
 * A slice keeps all of the memory alive that it is cut from: a small entry 8 KiB of Node's pool, one that was received the
 * rest of its frame. Small entries held twenty times their bytes (`npm run sim -- --week`).
 */
function onItsOwn(entry: Entry): Entry {
  const { bytes, payload } = entry;
  if (bytes.buffer.byteLength === bytes.length) return entry;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return { ...entry, bytes: own, payload: own.subarray(own.length - payload.length) };
}
