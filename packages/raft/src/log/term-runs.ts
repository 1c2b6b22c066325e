// Which entry has which term, without reading entries: one pair for each run of entries with one term.
import { strict as assert } from 'node:assert';

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

  truncate(index: number): void {
    while ((this.#runs.at(-1)?.index ?? 0) >= index) this.#runs.pop();
  }

  append(index: number, term: number): void {
    const last = this.#runs.at(-1);
    assert(last === undefined || last.term <= term, `term falls from ${last?.term} to ${term} at index ${index}`);
    if (last?.term !== term) this.#runs.push({ index, term });
  }
}
