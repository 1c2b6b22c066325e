// Who writes next. LevelDB gets one write at a time: a turn before whatever else waits, since a cluster waits for turns.
import { strict as assert } from 'node:assert';
import { RaftError, reasonOf } from '../../raft-error.ts';
import type { Batch, Database } from '../database.ts';

/** Puts the rows into the batch, when nothing else is in flight; what it returns is called when they are durable. */
export type Fill = (batch: Batch) => () => void;

export class SingleWriter {
  readonly #database: Database;
  readonly #waiting: (() => void)[] = [];
  #turn: (() => void) | undefined;
  #hasTurn = false;
  #isBusy = false;
  /** What the first write that failed ended with: every later one ends with it, too. */
  #failure: { readonly error: unknown } | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(database: Database) {
    this.#database = database;
  }

  /** A turn: the next to be written. Never two of them at a time. */
  async writeTurn(fill: Fill): Promise<void> {
    assert(!this.#hasTurn, 'two writes in flight');
    this.#hasTurn = true;
    try {
      if (this.#isBusy) {
        await new Promise<void>((resolve) => {
          this.#turn = resolve;
        });
      }
      await this.#write(fill);
    } finally {
      this.#hasTurn = false;
    }
  }

  /** Anything else: when no turn waits. */
  async writeBeside(fill: Fill): Promise<void> {
    if (this.#isBusy) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await this.#write(fill);
  }

  /** Resolves, and never rejects, when the write in flight is over. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #write(fill: Fill): Promise<void> {
    this.#isBusy = true;
    try {
      // The same error again: whoever waits for this write may be the first to hear of it, and says why the member stops.
      if (this.#failure !== undefined) throw this.#failure.error;
      const batch = this.#database.batch();
      const show = fill(batch);
      const writing = written(batch);
      this.#last = writing.catch((error: unknown) => {
        this.#failure = { error };
      });
      await writing;
      // Before anyone else fills a batch: what he writes depends on it.
      show();
    } finally {
      this.#isBusy = false;
      this.#next();
    }
  }

  #next(): void {
    const next = this.#turn ?? this.#waiting.shift();
    this.#turn = undefined;
    if (next === undefined) return;
    // Until it runs, nobody may come between.
    this.#isBusy = true;
    next();
  }
}

async function written(batch: Batch): Promise<void> {
  try {
    await batch.write({ sync: true });
  } catch (cause) {
    const code = isDiskFull(cause) ? 'HF_DISK_FULL' : 'HF_WRITE_FAILED';
    throw new RaftError(code, reasonOf(cause), {}, { cause });
  }
}

function isDiskFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/ENOSPC|no space left/i.test(at.message) || ('code' in at && at.code === 'ENOSPC')) return true;
  }
  return false;
}
