// Bytes that this leader has appended and that are not committed yet: the bound that refuses proposals.

export class Uncommitted {
  readonly #maxBytes: number;
  readonly #entries: { readonly index: number; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** One entry is always taken when nothing waits, whatever its size: it could never be proposed otherwise. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  add(index: number, bytes: number): void {
    this.#entries.push({ index, bytes });
    this.#bytes += bytes;
  }

  committedTo(commit: number): void {
    for (let first = this.#entries[this.#head]; first !== undefined && first.index <= commit; ) {
      this.#bytes -= first.bytes;
      this.#head += 1;
      first = this.#entries[this.#head];
    }
    // Taken off the front in large pieces only, so that each entry is moved about once.
    if (this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
