// The log as this node believes it to be: the durable part, read through LogReader, and behind it the part that is not
// known to be durable yet.
//
//   1 ........ stableIndex | offset ......... writtenTo | ......... lastIndex
//   durable, in the reader | given out, being written   | not given out yet
//
// The reader is asked only below `offset`. It may therefore show a finished write, or entries that are cut off here
// but not yet there, before this side is told.
import { assert } from '../assert.ts';
import type { Entry } from '../message.ts';
import type { LogReader } from '../types.ts';

export interface LogWrite {
  readonly truncateFrom: number | undefined;
  readonly entries: readonly Entry[];
}

export class LogView {
  readonly #reader: LogReader;
  #unstable: Entry[] = [];
  #offset: number;
  #writtenTo: number;
  #truncateFrom: number | undefined;
  /** The write under way: what it holds last, and up to where that is still this node's log. */
  /** A state that takes the place of the log up to `index`, until the disk has it. */
  #restoring: { readonly index: number; readonly term: number; readonly stableIndex: number } | undefined;
  #writing: { readonly lastIndex: number; readonly lastTerm: number; validTo: number } | undefined;

  constructor(reader: LogReader) {
    this.#reader = reader;
    this.#offset = reader.lastIndex + 1;
    this.#writtenTo = reader.lastIndex;
  }

  get lastIndex(): number {
    return this.#offset + this.#unstable.length - 1;
  }

  get lastTerm(): number {
    return this.term(this.lastIndex) ?? 0;
  }

  /** Entries before it are compacted. The term of the one before it is known. */
  get firstIndex(): number {
    return this.#restoring === undefined ? this.#reader.firstIndex : this.#restoring.index + 1;
  }

  /** The last index that is known to be on this disk. */
  get stableIndex(): number {
    return this.#restoring?.stableIndex ?? this.#offset - 1;
  }

  /** Term of the entry at `index`; 0 for index 0; undefined when there is none. */
  term(index: number): number | undefined {
    if (index >= this.#offset) return this.#unstable[index - this.#offset]?.term;
    if (index === 0) return 0;
    if (this.#restoring !== undefined) return index === this.#restoring.index ? this.#restoring.term : undefined;
    return this.#reader.term(index);
  }

  /**
   * The last index up to `index` whose term is at most `term`. Terms never fall along a log, so it halves its way. Where
   * that is compacted: an index before all that is known.
   */
  lastWithTermUpTo(index: number, term: number): number {
    let low = this.firstIndex - 1;
    if (index < low || (this.term(low) ?? 0) > term) return Math.min(index, low - 1);
    let high = Math.max(low, Math.min(index, this.lastIndex));
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.term(middle) ?? 0) <= term) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Is a log that ends like this at least as complete as ours? (Thesis 3.6.1) */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'a log has no gap');
    assert(entry.term >= this.lastTerm, 'terms never fall along a log');
    this.#unstable.push(entry);
  }

  /** Cuts off `from` and everything after it. Only for a proven conflict, and never what is committed. */
  truncate(from: number, commit: number): void {
    assert(from > commit, 'nothing at or below the commit index is ever truncated');
    assert(from <= this.lastIndex, 'a truncation removes something');
    if (from <= this.#writtenTo) {
      this.#truncateFrom = Math.min(from, this.#truncateFrom ?? from);
      this.#writtenTo = from - 1;
    }
    // The write under way brings entries to the disk that are cut off here. Its completion must not count for what
    // takes their place, at the same index and with another term (the ABA case).
    if (this.#writing !== undefined) this.#writing.validTo = Math.min(this.#writing.validTo, from - 1);
    if (from < this.#offset) {
      this.#offset = from;
      this.#unstable = [];
    } else {
      this.#unstable.length = from - this.#offset;
    }
  }

  /** The log becomes empty behind `index`, whatever it held: none of it is committed beyond `commit`. */
  restore(index: number, term: number, commit: number): void {
    assert(this.#restoring === undefined, 'one state at a time takes the place of the log');
    assert(index > commit, 'nothing that is committed is ever replaced');
    this.#restoring = { index, term, stableIndex: Math.min(this.stableIndex, commit) };
    this.#unstable = [];
    this.#offset = index + 1;
    this.#writtenTo = index;
    this.#truncateFrom = undefined;
    if (this.#writing !== undefined) this.#writing.validTo = 0;
  }

  /** The disk has it. */
  restored(): void {
    const restoring = this.#restoring;
    assert(restoring !== undefined, 'only what was begun is finished');
    const { firstIndex, lastIndex } = this.#reader;
    assert(firstIndex === restoring.index + 1 && lastIndex === restoring.index, 'the log reader shows an empty log');
    assert(this.#reader.term(restoring.index) === restoring.term, 'the log reader knows the term before its log');
    this.#restoring = undefined;
  }

  /** Entries from `from` on: at least one, and no more than `maxBytes` of them unless the first is larger. */
  entriesFrom(from: number, maxBytes: number): readonly Entry[] {
    assert(from >= this.firstIndex && from <= this.lastIndex, 'entries are read where there are some');
    if (from < this.#offset) return this.durableEntries(from, this.stableIndex, maxBytes);
    const first = from - this.#offset;
    let end = first + 1;
    let bytes = this.#unstable[first]?.bytes.length ?? 0;
    for (; end < this.#unstable.length; end += 1) {
      bytes += this.#unstable[end]?.bytes.length ?? 0;
      if (bytes > maxBytes) break;
    }
    return this.#unstable.slice(first, end);
  }

  /** As `entriesFrom`, but only what is on this disk, and not beyond `to`. */
  durableEntries(from: number, to: number, maxBytes: number): readonly Entry[] {
    assert(from >= this.firstIndex && to <= this.stableIndex, 'only durable entries are read from the disk');
    const entries = this.#reader.entries(from, to, maxBytes);
    assert(entries[0]?.index === from && from + entries.length - 1 <= to, 'the log reader gives what it was asked for');
    return entries;
  }

  /** What the disk does not have yet; undefined when it has everything. It is under way until `written`. */
  takeWrite(): LogWrite | undefined {
    assert(this.#writing === undefined && this.#restoring === undefined, 'one write at a time');
    const entries = this.#unstable.slice(this.#writtenTo + 1 - this.#offset);
    const truncateFrom = this.#truncateFrom;
    const last = entries.at(-1);
    if (last === undefined) {
      assert(truncateFrom === undefined, 'a truncation makes room for an entry');
      return undefined;
    }
    this.#writing = { lastIndex: last.index, lastTerm: last.term, validTo: last.index };
    this.#writtenTo = last.index;
    this.#truncateFrom = undefined;
    return { truncateFrom, entries };
  }

  /** The write under way is durable. */
  written(lastIndex: number, lastTerm: number): void {
    const writing = this.#writing;
    assert(writing?.lastIndex === lastIndex && writing.lastTerm === lastTerm, 'what was written is what was given out');
    this.#writing = undefined;
    if (writing.validTo < this.#offset) return;
    assert(this.#reader.term(writing.validTo) === this.term(writing.validTo), 'the log reader shows what was written');
    this.#unstable = this.#unstable.slice(writing.validTo + 1 - this.#offset);
    this.#offset = writing.validTo + 1;
  }
}
