// What a group is to be given next: the lane above its cursor, and its retries, each behind a window.
import { comparePositions, type GroupInfo, maxTimeMs, origin, type Position, type Store } from '@holdfast/store';
import { Window, type WindowRow } from './window.ts';

export type Row =
  | { readonly kind: 'lane'; readonly position: Position }
  | { readonly kind: 'retry'; readonly position: Position; readonly retryAtMs: number; readonly retrySeq: number };

/** Above every position that can be. */
const beyondAll: Position = { fireAtMs: maxTimeMs, seq: 2 ** 48 - 1 };

export class Upcoming {
  readonly #store: Pick<Store, 'view'>;
  readonly #topic: number;
  readonly #group: number;
  readonly #capacity: number;
  #lane: Window | undefined;
  #retries: Window | undefined;
  #from: Position = origin;

  constructor(store: Pick<Store, 'view'>, topic: number, group: number, capacity: number) {
    this.#store = store;
    this.#topic = topic;
    this.#group = group;
    this.#capacity = capacity;
  }

  /** Both windows know what comes first. False while the scans that will tell are running, or were not begun. */
  get isKnown(): boolean {
    return isKnown(this.#lane) && isKnown(this.#retries);
  }

  get size(): number {
    return (this.#lane?.size ?? 0) + (this.#retries?.size ?? 0);
  }

  /** Where the cursor will stand once everything proposed is applied. */
  get from(): Position {
    return this.#from;
  }

  /** When the next row is due, in ms of cluster time; Infinity for none. */
  get nextMs(): number {
    return Math.min(this.#lane?.firstTimeMs ?? Infinity, this.#retries?.firstTimeMs ?? Infinity);
  }

  /** Forgets everything; the store is asked again. A scan that still runs ends in windows that nobody reads. */
  reset(): void {
    this.#lane = undefined;
    this.#retries = undefined;
  }

  scheduled(position: Position): void {
    this.#lane?.insert(position.fireAtMs, position.seq);
  }

  retry(position: Position, retryAtMs: number, retrySeq: number): void {
    this.#retries?.insert(retryAtMs, retrySeq, position.fireAtMs, position.seq);
  }

  /** Takes out the first row that is due at `clockMs`, in order of time over lane and retries. */
  take(clockMs: number): Row | undefined {
    const lane = this.#lane;
    const retries = this.#retries;
    if (lane === undefined || retries === undefined || !this.isKnown || this.nextMs > clockMs) return undefined;
    const laneIsFirst =
      lane.firstTimeMs < retries.firstTimeMs ||
      (lane.firstTimeMs === retries.firstTimeMs && lane.firstSeq < retries.firstSeq);
    const row = (laneIsFirst ? lane : retries).shift();
    if (row === undefined) return undefined;
    const position = { fireAtMs: row[2], seq: row[3] };
    if (!laneIsFirst) return { kind: 'retry', position, retryAtMs: row[0], retrySeq: row[1] };
    if (comparePositions(position, this.#from) <= 0) throw new Error('a lane row stands at or below the cursor');
    this.#from = position;
    return { kind: 'lane', position };
  }

  /**
   * Begins the scans that are wanted. Undefined when none is; otherwise resolves when their rows are in, to false when
   * the group is gone. Rejects when the store does.
   */
  maybeScan(): Promise<boolean> | undefined {
    const lowWater = Math.floor(this.#capacity / 4);
    const wanted = (window: Window | undefined): boolean =>
      window === undefined || (!window.complete && !window.scanning && window.size <= lowWater);
    return wanted(this.#lane) || wanted(this.#retries) ? this.#scan(wanted) : undefined;
  }

  async #scan(wanted: (window: Window | undefined) => boolean): Promise<boolean> {
    // The view and the windows' `beginScan` stand in one synchronous step: no entry falls between them [invariant W].
    const view = this.#store.view();
    try {
      if (this.#lane === undefined || this.#retries === undefined) {
        const info = view.groups(this.#topic).find((group) => group.number === this.#group);
        if (info === undefined || info.state === 'deleting') return false;
        this.#begin(info);
      }
      const lane = this.#lane;
      const retries = this.#retries;
      if (lane === undefined || retries === undefined) return true;
      const laneLimit = this.#capacity - lane.size;
      const retryLimit = this.#capacity - retries.size;
      const { end: laneEnd } = lane;
      const { end: retryEnd } = retries;
      const scansLane = wanted(lane);
      const scansRetries = wanted(retries);
      if (scansLane) lane.beginScan();
      if (scansRetries) retries.beginScan();
      const after = { fireAtMs: laneEnd.timeMs, seq: laneEnd.seq };
      const afterRetry = { retryAtMs: retryEnd.timeMs, retrySeq: retryEnd.seq };
      const [positions, retryRows] = await Promise.all([
        scansLane ? view.lane(this.#topic, after, beyondAll, laneLimit) : [],
        scansRetries ? view.retries(this.#topic, this.#group, afterRetry, retryLimit) : [],
      ]);
      if (scansLane) lane.endScan(positions.map(laneRow), positions.length < laneLimit);
      if (scansRetries) {
        const rows = retryRows.map(
          (row): WindowRow => [row.retryAtMs, row.retrySeq, row.position.fireAtMs, row.position.seq],
        );
        retries.endScan(rows, rows.length < retryLimit);
      }
      return true;
    } finally {
      await view.close();
    }
  }

  #begin(info: GroupInfo): void {
    this.#from = info.cursor;
    this.#lane = new Window(
      { capacity: this.#capacity, payload: false },
      { timeMs: info.cursor.fireAtMs, seq: info.cursor.seq },
    );
    this.#retries = new Window({ capacity: this.#capacity, payload: true }, { timeMs: 0, seq: 0 });
  }
}

function laneRow(position: Position): WindowRow {
  return [position.fireAtMs, position.seq, position.fireAtMs, position.seq];
}

function isKnown(window: Window | undefined): boolean {
  return window !== undefined && (window.size > 0 || window.complete);
}
