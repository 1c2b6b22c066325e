// Bytes that come in pieces of any size, taken in pieces of a known one.
import { bufferOf } from '../rows/row.ts';

export class Incoming {
  readonly #source: AsyncIterator<Uint8Array>;
  #pieces: Buffer[] = [];
  #held = 0;
  #taken = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** How many bytes were taken. */
  get at(): number {
    return this.#taken;
  }

  /** @returns fewer than `bytes` at the end only. Holds no more than that and one piece. */
  async take(bytes: number): Promise<Buffer> {
    while (this.#held < bytes) {
      const next = await this.#source.next();
      if (next.done === true) break;
      this.#pieces.push(bufferOf(next.value));
      this.#held += next.value.length;
    }
    // One piece may be the whole file: it is not copied for every record in it.
    const [only, ...others] = this.#pieces;
    const all = only !== undefined && others.length === 0 ? only : Buffer.concat(this.#pieces);
    const taken = all.subarray(0, bytes);
    this.#pieces = [all.subarray(bytes)];
    this.#held = all.length - taken.length;
    this.#taken += taken.length;
    return taken;
  }

  /** The source may be a file that is open. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
