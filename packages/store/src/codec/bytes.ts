// Fixed-width fields of a command, one after the other. Fixed widths make the encoding canonical: two byte strings that
// decode alike are equal.
import { isUtf8 } from 'node:buffer';
import type { Position } from '../position.ts';

const firstBytes = 64 * 1024;

export class ByteWriter {
  #buffer: Buffer = Buffer.allocUnsafe(firstBytes);
  #length = 0;

  u8(value: number): void {
    const at = this.#grow(1);
    this.#buffer.writeUInt8(value, at);
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  /** Times in ms, seqs and tokens. @throws RangeError for fractions and what is out of range */
  u48(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
    const at = this.#grow(6);
    this.#buffer.writeUIntBE(value, at, 6);
  }

  position(position: Position): void {
    this.u48(position.fireAtMs);
    this.u48(position.seq);
  }

  /** Bytes whose number the reader knows. */
  fixed(bytes: Uint8Array, length: number): void {
    if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes, not ${length}`);
    const at = this.#grow(length);
    this.#buffer.set(bytes, at);
  }

  blob(bytes: Uint8Array): void {
    this.u32(bytes.length);
    const at = this.#grow(bytes.length);
    this.#buffer.set(bytes, at);
  }

  text(text: string): void {
    const bytes = Buffer.byteLength(text);
    this.u16(bytes);
    const at = this.#grow(bytes);
    this.#buffer.write(text, at);
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.u32(items.length);
    for (const item of items) write(item);
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#length));
    this.reset();
    return bytes;
  }

  reset(): void {
    this.#length = 0;
    if (this.#buffer.length > 16 * firstBytes) this.#buffer = Buffer.allocUnsafe(firstBytes);
  }

  #grow(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    return at;
  }
}

/** The bytes are no command. Leaves this folder never: decodeCommand turns it into undefined. */
export class Undecodable extends Error {
  override readonly name = 'Undecodable';
}

/** Reads what ByteWriter wrote. Every method throws Undecodable when the bytes end too early. */
export class ByteReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#buffer.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#take(4));
  }

  u48(): number {
    return this.#buffer.readUIntBE(this.#take(6), 6);
  }

  position(): Position {
    return { fireAtMs: this.u48(), seq: this.u48() };
  }

  /** A view, not a copy. */
  fixed(length: number): Buffer {
    const at = this.#take(length);
    return this.#buffer.subarray(at, at + length);
  }

  /** A view, not a copy: valid as long as nobody writes into the command's bytes. */
  blob(): Buffer {
    return this.fixed(this.u32());
  }

  text(minBytes: number, maxBytes: number): string {
    const length = this.u16();
    if (length < minBytes || length > maxBytes) throw new Undecodable(`a text of ${length} bytes`);
    const bytes = this.fixed(length);
    // Bytes that are no UTF-8 would all become the same replacement character: two names would be one.
    if (!isUtf8(bytes)) throw new Undecodable('a text that is no UTF-8');
    return bytes.toString();
  }

  flag(): boolean {
    const value = this.u8();
    if (value > 1) throw new Undecodable(`a flag of ${value}`);
    return value === 1;
  }

  /** `read` takes a byte or more, so that a list ends with the bytes, whatever length it claims. */
  list<T>(read: () => T): T[] {
    const length = this.u32();
    const items: T[] = [];
    for (let count = 0; count < length; count += 1) items.push(read());
    return items;
  }

  end(): void {
    if (this.#at !== this.#buffer.length) throw new Undecodable(`${this.#buffer.length - this.#at} bytes too many`);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#buffer.length) throw new Undecodable('too short');
    this.#at = at + bytes;
    return at;
  }
}
