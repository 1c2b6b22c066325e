// Who the members are, as the log says it: a row beside each entry that says so, so that opening learns it without
// reading entries, and so that it outlives the entry. Each row names the one before it: none can be missing unseen.
//
//   offset  bytes  field
//   0       8      index
//   8       8      index of the row before it when it was written; 0 for the first one
//   16      4      CRC-32 of bytes 0 to 15 and of the configuration
//   20             the configuration, as in the entry
import { crc32 } from 'node:zlib';
import { RaftError } from '../../raft-error.ts';
import { readSafeInteger, writeSafeInteger } from '../safe-integer.ts';

export interface ConfigurationRow {
  readonly index: number;
  /** Encoded, as in the entry. */
  readonly configuration: Uint8Array;
  readonly previousIndex: number;
}

const headBytes = 20;

export function encodeConfigurationRow({ index, previousIndex, configuration }: ConfigurationRow): Uint8Array {
  const bytes = Buffer.allocUnsafe(headBytes + configuration.length);
  writeSafeInteger(bytes, index, 0);
  writeSafeInteger(bytes, previousIndex, 8);
  bytes.writeUInt32BE(crc32(configuration, crc32(bytes.subarray(0, 16))), 16);
  bytes.set(configuration, headBytes);
  return bytes;
}

/**
 * @param keyIndex the index in the row's key
 * @throws RaftError HF_LOG_CORRUPT
 */
export function decodeConfigurationRow(keyIndex: number | undefined, raw: Uint8Array): ConfigurationRow {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const configuration = bytes.subarray(headBytes);
  if (bytes.length >= headBytes && bytes.readUInt32BE(16) === crc32(configuration, crc32(bytes.subarray(0, 16)))) {
    const index = readSafeInteger(bytes, 0);
    const previousIndex = readSafeInteger(bytes, 8);
    if (index !== undefined && index === keyIndex && previousIndex !== undefined) {
      return { index, configuration, previousIndex };
    }
  }
  const detail = `The configuration at index ${keyIndex ?? 'unknown'} does not match its checksum.`;
  throw new RaftError('HF_LOG_CORRUPT', detail, { index: keyIndex });
}

/** The rows as they stand, the oldest first. */
export class ConfigurationRows {
  #rows: readonly ConfigurationRow[];

  constructor(rows: readonly ConfigurationRow[] = []) {
    this.#rows = rows;
  }

  get all(): readonly ConfigurationRow[] {
    return this.#rows;
  }

  /** Index of the newest one at or below `index`; 0 for none. */
  newestAt(index: number): number {
    return this.#rows.findLast((row) => row.index <= index)?.index ?? 0;
  }

  /** Those that a log which begins at `firstIndex` does not need: all before the one in force where it begins. */
  before(firstIndex: number): readonly ConfigurationRow[] {
    const base = this.newestAt(firstIndex - 1);
    return this.#rows.filter((row) => row.index < base);
  }

  from(index: number): readonly ConfigurationRow[] {
    return this.#rows.filter((row) => row.index >= index);
  }

  remove(rows: readonly ConfigurationRow[]): void {
    if (rows.length > 0) this.#rows = this.#rows.filter((row) => !rows.includes(row));
  }

  append(row: ConfigurationRow): void {
    this.#rows = [...this.#rows, row];
  }
}
