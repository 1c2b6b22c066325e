// Proposals that are in the log of this node and wait for their fate. Each one ends here: applied, overwritten, unknown.
import { strict as assert } from 'node:assert';
import type { Settle } from './group-commit.ts';

interface AppendedEntry<Result> {
  readonly term: number;
  readonly proposers: readonly Settle<Result>[];
}

export class Appended<Result> {
  /** In the order of appending. An index can come again with a higher term, after the entry under it was truncated. */
  #entries: { readonly index: number; readonly entry: AppendedEntry<Result> }[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  add(index: number, term: number, proposers: readonly Settle<Result>[]): void {
    this.#entries.push({ index, entry: { term, proposers } });
  }

  /**
   * The entry at `index` is applied, with this term. Who proposed it gets its results; who proposed another entry at
   * this index learns that it never will be applied: indexes are applied in order, and each only once.
   */
  applied(index: number, term: number, results: readonly Result[]): void {
    const ended: AppendedEntry<Result>[] = [];
    // Mostly the first, so it is taken without walking over the rest.
    for (let first = this.#entries[0]; first !== undefined && first.index <= index; first = this.#entries[0]) {
      ended.push(first.entry);
      this.#entries.shift();
    }
    // After a truncation a later, lower index may stand behind a higher one.
    if (this.#entries.some((waiting) => waiting.index <= index)) {
      for (const waiting of this.#entries) if (waiting.index <= index) ended.push(waiting.entry);
      this.#entries = this.#entries.filter((waiting) => waiting.index > index);
    }
    for (const entry of ended) {
      if (entry.term === term) settleApplied(entry, index, term, results);
      else for (const settle of entry.proposers) settle({ kind: 'notApplied', reason: 'overwritten' });
    }
  }

  /** Nothing more will be learned about entries of terms up to this one. */
  giveUp(term: number): void {
    const given = this.#entries.filter(({ entry }) => entry.term <= term);
    this.#entries = this.#entries.filter(({ entry }) => entry.term > term);
    for (const { index, entry } of given) {
      for (const settle of entry.proposers) settle({ kind: 'unknown', index, term: entry.term });
    }
  }
}

function settleApplied<Result>(
  { proposers }: AppendedEntry<Result>,
  index: number,
  term: number,
  results: readonly Result[],
): void {
  assert(proposers.length === results.length, 'an entry has one result for each command');
  for (const [i, result] of results.entries()) proposers[i]?.({ kind: 'applied', result, index, term });
}
