// What the log asks of a database: the few methods of abstract-level that it uses. `level` (opened with
// `keyEncoding: 'view', valueEncoding: 'view'`, or 'buffer'), memory-level and a simulated disk all fit.

/** A key and a value as they lie in the database. The arrays belong to the caller afterwards. */
export type Row = [key: Uint8Array, value: Uint8Array];

/** Byte-wise order of keys. Give at least a lower bound: a seek walks over everything deleted below the first live row. */
export interface Range {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lte?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly reverse?: boolean;
  /** At most so many rows; all of them when absent. */
  readonly limit?: number;
}

/** A walk over rows, in order. Whoever opened it closes it. */
export interface RowIterator {
  /** At most `size` further rows; an empty list at the end. */
  nextv(size: number): Promise<Row[]>;
  close(): Promise<void>;
}

/** Puts and deletes that become visible and durable together, in the order in which they were added. */
export interface Batch {
  put(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
  /** Resolves when all of it is on disk (`sync: true`, always). After a rejection nothing is known about what is. */
  write(options: { readonly sync: true }): Promise<void>;
}

/** An open database. The log store is its only writer; readers take what `getSync` and `iterator` show. */
export interface Database {
  /** The value, or undefined. Synchronous: from memory or the page cache, milliseconds at worst. */
  getSync(key: Uint8Array): Uint8Array | undefined;
  /** Sees the state at the time of the call, whatever is written later. */
  iterator(range: Range): RowIterator;
  batch(): Batch;
}
