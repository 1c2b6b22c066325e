// The side of the member that needs a state: takes an offer, asks for one piece after the other, and writes them under a
// generation of their own, beside the log that goes on. When the last one is on the disk, its owner may flip to it.
//
// A cut, a new leader, a lost answer: the request is repeated, or the next offer of the same index goes on behind the
// last row that is written. All replicas have the same rows at the same index, so it matters not whose export it is.
import type { NodeId } from '../core/message.ts';
import type { Clock } from '../driver/clock.ts';
import type { LogStore, Restore } from '../log/log-store.ts';
import { RaftError } from '../raft-error.ts';
import type { Effects, StateRow } from '../state-machine.ts';
import { snapshotBounds } from './bounds.ts';
import { decodeChunk } from './chunk.ts';
import type { SnapshotControl, SnapshotOffer } from './control.ts';

export interface InstallerOptions {
  readonly clock: Clock;
  readonly log: Pick<LogStore, 'newGeneration' | 'writeImport' | 'dropImport'>;
  readonly importRows: (generation: number, rows: readonly StateRow[]) => Effects;
  readonly send: (to: NodeId, control: SnapshotControl) => void;
  readonly count: (what: 'brokenSnapshot' | 'lateChunk') => void;
  /** All of it is on the disk. The owner flips to it, or lets go of it, and then calls `finished`. */
  readonly onReceived: (restore: Restore) => void;
  /** A write failed. */
  readonly onFailed: (error: unknown) => void;
}

interface Import {
  readonly index: number;
  readonly term: number;
  readonly configuration: Uint8Array;
  /** Undefined until its number is drawn. */
  generation: number | undefined;
  /** Whom to ask, and for which export; undefined while nobody offers. */
  source: { readonly from: NodeId; readonly exportId: number } | undefined;
  /** The last row that has come. */
  after: Uint8Array | undefined;
  hasLast: boolean;
  /** Chunks that have come and are not written. */
  writing: number;
  /** A request is under way since. */
  askedAtMs: number | undefined;
  /** When the piece behind `after` was asked for first; repetitions do not count. Of the present source only. */
  wantedAtMs: number | undefined;
  /** How long an answer is waited for before the request is repeated. */
  patienceMs: number;
  heardAtMs: number;
}

/** One is written while the next one is on its way. */
const maxWriting = 1;

export class Installer {
  readonly #options: InstallerOptions;
  #import: Import | undefined;
  #isWhole = false;
  #work: Promise<unknown> = Promise.resolve();
  /** Of the import under way, or of the last one. */
  receivedBytes = 0;

  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  /** The index of the state that is being received. */
  get index(): number | undefined {
    return this.#import?.index;
  }

  /** More of it is to come. */
  get isUnderWay(): boolean {
    return this.#import !== undefined && !this.#isWhole;
  }

  /** All of it is on the disk, and `finished` is still to be called: the state machine may be going over to it. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The caller has seen that this member needs it: its commit index is below the offer's. */
  offered(from: NodeId, { exportId, index, term, configuration }: SnapshotOffer): void {
    if (this.#isWhole) return;
    const { clock } = this.#options;
    const source = { from, exportId };
    const known = this.#import;
    if (known?.index === index && known.term === term) {
      const isNews = known.source?.exportId !== exportId || known.source.from !== from;
      known.source = source;
      known.heardAtMs = clock.monotonicMs();
      if (isNews) {
        known.askedAtMs = undefined;
        known.wantedAtMs = undefined;
      }
      return this.#ask(known);
    }
    const heardAtMs = clock.monotonicMs();
    const begun = { index, term, configuration, generation: undefined, source, heardAtMs };
    const unasked = { askedAtMs: undefined, wantedAtMs: undefined, patienceMs: snapshotBounds.fetchRetryMs };
    const next: Import = { ...begun, ...unasked, after: undefined, hasLast: false, writing: 0 };
    this.#import = next;
    this.receivedBytes = 0;
    this.#follow(this.#begin(next));
  }

  /** The source has let go of the export; its next offer goes on. */
  gone(from: NodeId, exportId: number): void {
    const known = this.#import;
    if (known?.source?.from === from && known.source.exportId === exportId) known.source = undefined;
  }

  received(from: NodeId, bytes: Uint8Array): void {
    const { clock, count } = this.#options;
    const known = this.#import;
    const chunk = decodeChunk(bytes);
    if (chunk === undefined) return count('brokenSnapshot');
    const isAnswer = known?.source?.from === from && known.source.exportId === chunk.exportId && !known.hasLast;
    if (known?.generation === undefined || !isAnswer || !sameKey(chunk.after, known.after)) return count('lateChunk');
    let effects: Effects;
    try {
      effects = this.#options.importRows(known.generation, chunk.rows);
    } catch {
      // What is written of it already may be just as wrong.
      count('brokenSnapshot');
      return this.finished();
    }
    this.receivedBytes += bytes.length;
    known.heardAtMs = clock.monotonicMs();
    known.patienceMs = patienceAfter(known.heardAtMs - (known.wantedAtMs ?? known.heardAtMs));
    known.askedAtMs = undefined;
    known.wantedAtMs = undefined;
    const last = chunk.rows.at(-1)?.key;
    // A copy: the key is a view into the whole chunk.
    if (last !== undefined) known.after = Buffer.from(last);
    known.hasLast = chunk.done;
    this.#follow(this.#write(known, known.generation, effects));
    this.#ask(known);
  }

  tick(nowMs: number): void {
    const known = this.#import;
    if (known === undefined || this.#isWhole) return;
    if (nowMs - known.heardAtMs > snapshotBounds.fetchGiveUpMs) known.source = undefined;
    if (known.askedAtMs === undefined || nowMs - known.askedAtMs <= known.patienceMs) return;
    known.askedAtMs = undefined;
    known.patienceMs = Math.max(known.patienceMs, Math.min(2 * known.patienceMs, snapshotBounds.maxFetchRetryMs));
    this.#ask(known);
  }

  /** It was flipped to, or is not wanted: the next offer begins anew, and what was written of another is swept. */
  finished(): void {
    const generation = this.#import?.generation;
    this.#import = undefined;
    this.#isWhole = false;
    if (generation !== undefined) this.#follow(this.#drop(generation));
  }

  /** The log has come so far by itself: what came of a state that ends there is of no use. */
  overtaken(commit: number): void {
    if (this.#import !== undefined && this.#import.index <= commit) this.giveUp();
  }

  /** What has come is swept. Does nothing once all of it is there: then its owner decides. */
  giveUp(): void {
    if (this.isUnderWay) this.finished();
  }

  /** Gives up what is under way; resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#import = undefined;
    this.#isWhole = false;
    await this.#work;
  }

  #follow(work: Promise<void>): void {
    this.#work = Promise.all([this.#work, work]).then(() => undefined);
  }

  async #drop(generation: number): Promise<void> {
    try {
      await this.#options.log.dropImport(generation);
    } catch (error) {
      this.#options.onFailed(error);
    }
  }

  async #begin(next: Import): Promise<void> {
    try {
      const generation = await this.#options.log.newGeneration();
      if (this.#import !== next) return;
      next.generation = generation;
      this.#ask(next);
    } catch (error) {
      this.#options.onFailed(error);
    }
  }

  #ask(known: Import): void {
    const { clock, send } = this.#options;
    const { source, generation, askedAtMs, hasLast, writing, after } = known;
    if (source === undefined || generation === undefined || askedAtMs !== undefined) return;
    if (hasLast || writing > maxWriting) return;
    known.askedAtMs = clock.monotonicMs();
    known.wantedAtMs ??= known.askedAtMs;
    send(source.from, { kind: 'snapshotFetch', exportId: source.exportId, after });
  }

  async #write(known: Import, generation: number, effects: Effects): Promise<void> {
    known.writing += 1;
    try {
      await this.#options.log.writeImport(generation, effects);
    } catch (error) {
      // Where another import has begun meanwhile, the log does not take this one's rows any more.
      if (this.#import === known || error instanceof RaftError) this.#options.onFailed(error);
      return;
    }
    known.writing -= 1;
    if (this.#import !== known) return;
    if (!known.hasLast || known.writing > 0) return this.#ask(known);
    this.#isWhole = true;
    const { index, term, configuration } = known;
    this.#options.onReceived({ index, term, configuration, generation });
  }
}

/**
 * How long the next answer is waited for, in ms. Each repetition is answered with the whole piece: with too little patience for
 * a slow link, more and more copies of one piece would stand before the next one.
 */
function patienceAfter(tookMs: number): number {
  const { fetchRetryMs, fetchGiveUpMs } = snapshotBounds;
  return Math.min(Math.max(2 * tookMs, fetchRetryMs), fetchGiveUpMs);
}

function sameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
