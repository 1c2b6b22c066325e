// What the store asks of a database: synchronous point reads, a snapshot, and range scans. It never writes.

/** The database as it was at one moment, until it is closed. */
export interface Snapshot {
  close(): Promise<void>;
}

/** Byte-wise order of keys. */
export interface ScanOptions {
  readonly gte: Uint8Array;
  readonly lte: Uint8Array;
  /** False: the caller has no use for values, and a reader may leave them undefined. */
  readonly values: boolean;
  readonly snapshot: Snapshot;
}

export interface StateIterator {
  /** At most `size` further rows; an empty list at the end. */
  nextv(size: number): Promise<[key: Uint8Array, value: Uint8Array][]>;
  close(): Promise<void>;
}

/**
 * `level` and memory-level fit, opened with `keyEncoding` and `valueEncoding` `view` or `buffer`; so does a simulated
 * database. A read without a snapshot sees every write that has finished.
 */
export interface StateReader {
  getSync(key: Uint8Array): Uint8Array | undefined;
  getSync(key: Uint8Array, options: { readonly snapshot: Snapshot }): Uint8Array | undefined;
  snapshot(): Snapshot;
  iterator(options: ScanOptions): StateIterator;
}
