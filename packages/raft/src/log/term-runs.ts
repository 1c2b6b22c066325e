// Which entry has which term, without reading entries: one pair for each run of entries with one term. Each has a row,
// so that opening learns all terms from these few.
//
//   offset  bytes  field
//   0       8      index
//   8       8      term
//   16      4      CRC-32 of bytes 0 to 15
import { strict as assert } from 'node:assert';
import { crc32 } from 'node:zlib';
import { RaftError } from '../raft-error.ts';
import { readSafeInteger, writeSafeInteger } from './safe-integer.ts';

export interface TermRun {
  /** The first entry of the term that the log holds. */
  readonly index: number;
  readonly term: number;
}

export class TermRuns {
  readonly #runs: TermRun[];

  constructor(runs: readonly TermRun[] = []) {
    this.#runs = [...runs];
  }

  /** The term at `index`; the caller has checked that the log holds it. */
  at(index: number): number | undefined {
    // Nearly every question is about the newest term or the one before it.
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i];
      if (run !== undefined && run.index <= index) return run.term;
    }
    return undefined;
  }

  /** True when an entry with this term, appended at the end, begins a run. */
  begins(term: number): boolean {
    return this.#runs.at(-1)?.term !== term;
  }

  /** Runs that begin at `index` or later: gone when the log is truncated there. */
  from(index: number): readonly TermRun[] {
    return this.#runs.filter((run) => run.index >= index);
  }

  /** Those that a log which begins at `firstIndex` does not need: its base term, at firstIndex - 1, stays known. */
  before(firstIndex: number): readonly TermRun[] {
    const base = this.#runs.findLastIndex((run) => run.index < firstIndex);
    return this.#runs.slice(0, Math.max(0, base));
  }

  compact(firstIndex: number): void {
    this.#runs.splice(0, this.before(firstIndex).length);
  }

  truncate(index: number): void {
    while ((this.#runs.at(-1)?.index ?? 0) >= index) this.#runs.pop();
  }

  append(index: number, term: number): void {
    const last = this.#runs.at(-1);
    assert(last === undefined || last.term <= term, `term falls from ${last?.term} to ${term} at index ${index}`);
    if (last?.term !== term) this.#runs.push({ index, term });
  }
}

const rowBytes = 20;

export function encodeTermRun({ index, term }: TermRun): Uint8Array {
  const bytes = Buffer.allocUnsafe(rowBytes);
  writeSafeInteger(bytes, index, 0);
  writeSafeInteger(bytes, term, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 16)), 16);
  return bytes;
}

/**
 * @param keyIndex the index in the row's key
 * @throws RaftError HF_LOG_CORRUPT
 */
export function decodeTermRun(keyIndex: number | undefined, raw: Uint8Array): TermRun {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (bytes.length === rowBytes && bytes.readUInt32BE(16) === crc32(bytes.subarray(0, 16))) {
    const index = readSafeInteger(bytes, 0);
    const term = readSafeInteger(bytes, 8);
    if (index !== undefined && index === keyIndex && term !== undefined) return { index, term };
  }
  const detail = `The row that says which term begins at index ${keyIndex ?? 'unknown'} does not match its checksum.`;
  throw new RaftError('HF_LOG_CORRUPT', detail, { index: keyIndex });
}
