// The appends that are under way to one follower: a ring, limited in count and in bytes.
import { assert } from '../assert.ts';

export class Inflight {
  readonly #maxAppends: number;
  readonly #maxBytes: number;
  readonly #lastIndexes: number[] = [];
  readonly #sizes: number[] = [];
  #head = 0;
  #count = 0;
  #bytes = 0;

  constructor(maxAppends: number, maxBytes: number) {
    this.#maxAppends = maxAppends;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  /** Full by bytes only once the limit is reached, so that one append larger than the limit still goes, alone. */
  get full(): boolean {
    return this.#count >= this.#maxAppends || this.#bytes >= this.#maxBytes;
  }

  get spareBytes(): number {
    return Math.max(0, this.#maxBytes - this.#bytes);
  }

  add(lastIndex: number, bytes: number): void {
    assert(!this.full, 'an append goes out only while the in-flight window has room');
    const slot = (this.#head + this.#count) % this.#maxAppends;
    this.#lastIndexes[slot] = lastIndex;
    this.#sizes[slot] = bytes;
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** Everything up to `index` has arrived: acknowledgements are cumulative. */
  freeTo(index: number): void {
    while (this.#count > 0 && (this.#lastIndexes[this.#head] ?? 0) <= index) {
      this.#bytes -= this.#sizes[this.#head] ?? 0;
      this.#head = (this.#head + 1) % this.#maxAppends;
      this.#count -= 1;
    }
  }

  clear(): void {
    this.#head = 0;
    this.#count = 0;
    this.#bytes = 0;
  }
}
